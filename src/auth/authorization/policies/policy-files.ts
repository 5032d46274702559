/** A policy file. */
export interface PolicyFile {
  name: string;
  text: string;
}

/** The file system functions that policies need. */
export interface Files {
  /** Lists the names in a directory. */
  list(directory: string): Promise<string[]>;
  read(path: string): Promise<Uint8Array>;
}

/**
 * Reads the policy files of a directory: `*.cedar`, sorted by name. It follows links, but skips
 * subdirectories and hidden files (Kubernetes stores versions in `..data`).
 * @throws an error whose message names the unreadable file
 */
export async function readPolicyFiles(files: Files, directory: string): Promise<PolicyFile[]> {
  let found = await readOnce(files, directory);
  while (true) {
    // Files may be replaced between two reads. A mix of old and new files could permit what neither
    // version permits, so files count only if a second read returns the same.
    const again = await readOnce(files, directory);
    if (JSON.stringify(again) === JSON.stringify(found)) return found;
    found = again;
  }
}

async function readOnce(files: Files, directory: string): Promise<PolicyFile[]> {
  const names = await files.list(directory).catch((error: Error) => {
    throw new Error(`it must be the path of a readable directory (${error.message}).`);
  });
  const found: PolicyFile[] = [];
  for (const name of names.filter(isPolicyFile).sort()) {
    try {
      const bytes = await files.read(`${directory}/${name}`);
      found.push({ name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) });
    } catch (error) {
      throw new Error(`${name} must be a readable file in UTF-8 (${(error as Error).message}).`);
    }
  }
  return found;
}

function isPolicyFile(name: string): boolean {
  return name.endsWith('.cedar') && !name.startsWith('.');
}
