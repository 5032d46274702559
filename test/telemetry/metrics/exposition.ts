/** Metrics in the text format of Prometheus, read. */
export interface Exposition {
  /** The names of all metrics, with or without samples. */
  names: string[];
  help: Map<string, string>;
  types: Map<string, string>;
  samples: Sample[];
  /** The value of a sample; undefined if there is none. Labels that are not given may have any value. */
  value(name: string, labels?: Record<string, string>): number | undefined;
}

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g;

/** Reads the text of a scrape. Throws at a line that is not of the format. */
export function readExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('The text does not end with a line feed.');
  const lines = text.split('\n').filter((line) => line !== '');
  const help = new Map<string, string>();
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of lines) {
    const [, described = '', words = ''] = /^# HELP (\S+) (.+)$/.exec(line) ?? [];
    if (described) help.set(described, words);
    const [, typed = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (typed) types.set(typed, type);
    if (line.startsWith('# ')) continue;
    const [whole, name = '', labels = '', value] = sampleLine.exec(line) ?? [];
    if (whole === undefined) throw new Error(`This is no sample: ${line}`);
    const pairs = [...labels.matchAll(label)].map(([, key, text]) => [key, text]);
    samples.push({ name, labels: Object.fromEntries(pairs), value: Number(value) });
  }
  return {
    names: [...help.keys()],
    help,
    types,
    samples,
    value: (name, labels = {}) =>
      samples.find(
        (sample) =>
          sample.name === name &&
          Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
      )?.value,
  };
}
