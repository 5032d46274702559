import { gunzipSync } from 'node:zlib';

/** Athena reads lines as Hadoop does: a carriage return ends a line, too. */
export const athenaLineBreak = /\r\n|\r|\n/;

/** The partition of an object: the value of each column. */
type Partition = Record<string, string>;

/** A table with partition projection, as Athena reads it. */
export interface AthenaTable {
  /** The partition columns. */
  columns: string[];
  /** Returns a property of the table; empty if it has none of this name. */
  property(name: string): string;
  /** Returns the folder of a partition. */
  folderOf(partition: Partition): string;
  /** Reads the rows of an object in a partition: the columns of the expression for lines, or null. */
  rowsOf(body: Buffer, isCompressed: boolean): (string | null)[][];
}

/** Reads a statement CREATE EXTERNAL TABLE, as far as the page uses it. */
export function readAthenaTable(statement: string): AthenaTable {
  const [, columnList = ''] = /PARTITIONED BY \((.*)\)/.exec(statement) ?? [];
  const property = (name: string) =>
    new RegExp(`'${RegExp.escape(name)}' = '([^']*)'`).exec(statement)?.[1] ?? '';
  // In a literal of Hive a backslash is an escape. The SerDe matches whole lines, and its dot all characters.
  const linePattern = new RegExp(`^${property('input.regex').replaceAll('\\\\', '\\')}$`, 's');
  return {
    columns: columnList.split(', ').map((column) => column.replace(/ string$/, '')),
    property,
    folderOf: (partition) =>
      property('storage.location.template').replaceAll(
        /\$\{(\w+)\}/g,
        (_, name) => partition[name] ?? '',
      ),
    rowsOf(body, isCompressed) {
      const text = (isCompressed ? gunzipSync(body) : body).toString();
      return text
        .replace(/\n$/, '')
        .split(athenaLineBreak)
        .map((line) => [...(linePattern.exec(line) ?? [])].slice(1).map((value) => value ?? null));
    },
  };
}
