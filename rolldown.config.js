/**
 * How the package's code is made of src and of its dependencies: one bundle, cut where code is loaded lazily. Its shape
 * is one that the code relies on (src/api/own-file.ts): entries in the folders of their sources, everything else in
 * chunks/, a folder as deep as those. Nothing is minified, so that stack traces can be read as they are.
 */

/** Of lmdb only the JavaScript comes along. Its native part is looked up from the folder lmdb/ (scripts/build.ts). */
const nativeBeside = {
  name: 'native-beside',
  transform: {
    filter: { id: /\/node_modules\/lmdb\/native\.js$/ },
    handler: (code) => ({ code: code.replace('import.meta.url', "new URL('../lmdb/native.js', import.meta.url)"), map: null }),
  },
};

/** @type {import('rolldown').RolldownOptions} */
export default {
  input: {
    index: 'src/index.ts',
    'cli/main': 'src/cli/main.ts',
    'cluster/node-main': 'src/cluster/node-main.ts',
    'api/cel/re2': 'src/api/cel/re2.ts',
  },
  platform: 'node',
  resolve: { mainFields: ['module', 'main'] },
  checks: { eval: false }, // of a dependency
  plugins: [nativeBeside],
  output: {
    dir: 'dist/lib',
    chunkFileNames: 'chunks/[name]-[hash].js',
    comments: false,
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
};
