#!/usr/bin/env node
// An older Node cannot even parse the other files, so they are imported after this check.
const minMajor = 22;

if (Number.parseInt(process.versions.node, 10) < minMajor) {
  process.stderr.write(`The emulator needs Node ${minMajor}; this is ${process.versions.node}.\n`);
  process.exit(1);
}
await import('./serve.ts');
