import { cpSync } from 'node:fs';
import { relative, sep } from 'node:path';
import type { Plugin, RolldownOptions } from 'rolldown';

/**
 * Lets modules find the files beside them: those of packages in `node_modules`, as before, and those of `src`
 * in `dist`.
 */
const filesBesideModules: Plugin = {
  name: 'files-beside-modules',
  transform: {
    filter: { id: { exclude: /^\0/ }, code: /__dirname|import\.meta\.url/ },
    handler(code, id) {
      const [root = '', ...path] = relative(import.meta.dirname, id).split(sep);
      const place = JSON.stringify(['..', root === 'src' ? 'dist' : root, ...path].join('/'));
      return code
        .replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`)
        .replaceAll('__dirname', `require('node:path').join(__dirname, ${place}, '..')`);
    },
  },
  writeBundle: () =>
    cpSync('src/ui/assets', 'dist/ui/assets', {
      recursive: true,
      filter: (path) => !path.endsWith('.ts'),
    }),
};

/**
 * Gets modules of Node without an ES module around each. Node reads every member to make one. That loads what
 * nobody uses: for `node:http` a second HTTP client, which takes a tenth of the start and 4 MiB.
 */
const plainBuiltins: Plugin = {
  name: 'plain-builtins',
  renderChunk: (code) =>
    code.replaceAll(
      /^import (?:(\S+?),? )?(?:\{ (.+) \} )?from ("node:.+");$/gm,
      (_, whole: string | undefined, members: string | undefined, name: string) =>
        [whole, members && `{ ${members.replaceAll(' as ', ': ')} }`]
          .filter((target) => target !== undefined)
          .map((target) => `const ${target} = process.getBuiltinModule(${name});`)
          .join(' '),
    ),
};

/** What the image runs: each door in a file, and what doors share or load later in others. */
export default {
  input: ['main', 'migrate', 'verify', 'log-export'].map((door) => `src/bin/${door}.ts`),
  platform: 'node',
  external: ['pg-native'], // an optional package that is not installed
  transform: { define: { __dirname: 'import.meta.dirname' } }, // the files are ES modules
  plugins: [filesBesideModules, plainBuiltins],
  output: {
    cleanDir: true,
    chunkFileNames: '[name].js', // the same names in each build, for stack traces
    // V8 keeps a source with other characters in twice the memory.
    charset: 'ascii',
    comments: { legal: true, annotation: false, jsdoc: false },
  },
} satisfies RolldownOptions;
