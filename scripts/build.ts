/**
 * Builds dist/, the npm package: the bundle (rolldown.config.js), its declarations, the files that src/api/own-file.ts
 * finds, the licences of what is bundled, and a manifest of its own. Its only dependencies are lmdb's native parts, of
 * which npm installs the one that fits the machine.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const lib = join(dist, 'lib');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const readManifest = (dir: string): Manifest => JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Manifest;
const run = (program: string, ...args: string[]): void => {
  execFileSync(program, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
};
const copy = (from: string, to: string): void => cpSync(join(root, from), join(dist, to), { recursive: true });

rmSync(dist, { recursive: true, force: true });
run(process.execPath, 'scripts/generate-descriptions.ts');
run('node_modules/.bin/rolldown', '--config', 'rolldown.config.js');
run('node_modules/.bin/tsc', '-p', 'tsconfig.build.json');
keepReachable(join(dist, 'types/index.d.ts'));
for (const file of globSync(['src/**/*.sh', 'src/cli/start.cjs', 'src/**/descriptions.json'], { cwd: root })) {
  copy(file, join('lib', relative('src', file)));
}
chmodSync(join(lib, 'cli/start.cjs'), 0o755);
for (const file of ['README.md', 'LICENSE', 'examples']) copy(file, file);
const lmdb = readManifest(join(root, 'node_modules/lmdb'));
mkdirSync(join(lib, 'lmdb'));
writeFileSync(join(lib, 'lmdb/package.json'), JSON.stringify({ name: lmdb.name, version: lmdb.version }));
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.md'), renderNotices(bundledPackages()));
const { name, version, ...rest } = readManifest(root) as Manifest & Record<string, unknown>;
const manifest = {
  name,
  version,
  description: rest['description'],
  license: rest.license,
  type: rest['type'],
  engines: rest['engines'],
  bin: { timonier: 'lib/cli/start.cjs' },
  exports: { '.': { types: './types/index.d.ts', default: './lib/index.js' }, './package.json': './package.json' },
  optionalDependencies: lmdb.optionalDependencies,
};
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);

/** Removes the declarations that those of the library do not lead to. */
function keepReachable(entry: string): void {
  const seen = new Set([entry]);
  for (const file of seen) {
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?['"](\.[^'"]+)['"]/g)) {
      seen.add(join(dirname(file), specifier.replace(/\.[jt]s$/, '.d.ts')));
    }
  }
  const dir = dirname(entry);
  for (const file of globSync('**/*.d.ts', { cwd: dir })) if (!seen.has(join(dir, file))) rmSync(join(dir, file));
}

/** As the source maps name them: the folders of all packages that code was taken from. */
function bundledPackages(): string[] {
  const found = new Set<string>();
  for (const map of globSync('**/*.js.map', { cwd: lib })) {
    const { sources } = JSON.parse(readFileSync(join(lib, map), 'utf8')) as { sources: string[] };
    for (const source of sources) {
      const dir = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(normalize(join(lib, dirname(map), source)))?.[0];
      if (dir) found.add(dir);
    }
  }
  return [...found].sort();
}

/** A package without a text of its own has the name of its licence. */
function renderNotices(dirs: readonly string[]): string {
  const sections = dirs.map((dir) => {
    const { name, version, license } = readManifest(dir);
    const files = readdirSync(dir).filter((entry) => /^(licen[cs]e|copying|notice)/i.test(entry));
    const texts = files.map((file) => `\n\`\`\`\n${readFileSync(join(dir, file), 'utf8').trim()}\n\`\`\`\n`);
    return `## ${name} ${version}\n${license ?? ''}\n${texts.join('')}`;
  });
  return `# What is bundled with timonier, and its licences\n\n${sections.join('\n')}`;
}
