/** The parameters of a CreateExportTask, as its caller sent them. A new task has the prefix that it was accepted with. */
export interface TaskParameters {
  taskName?: string;
  logGroupName: string;
  logStreamNamePrefix?: string;
  /** In AWS's words: epoch ms, both ends inclusive. Any value from 0 to 2^63 - 1, in any order. */
  from: bigint;
  to: bigint;
  destination: string;
  destinationPrefix?: string;
}

/** Writes task parameters as JSON for the database. The 64-bit integers are texts there. */
export function writeTaskParameters({ from, to, ...texts }: TaskParameters): string {
  return JSON.stringify({ ...texts, from: String(from), to: String(to) });
}

/** Reads task parameters of the database; null if a job has none. */
export function readTaskParameters(json: string): TaskParameters;
export function readTaskParameters(json: string | null): TaskParameters | null;
export function readTaskParameters(json: string | null): TaskParameters | null {
  if (json === null) return null;
  const { from, to, ...texts } = JSON.parse(json);
  return { ...texts, from: BigInt(from), to: BigInt(to) };
}
