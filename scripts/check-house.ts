/**
 * What the linter can't see of the house: files that import each other in a circle, comments and pages that name files which
 * are not there, decisions of one number. These it refuses. It prints each room's lines beside its share (docs/ARCHITECTURE.md
 * draws the rooms), and marks those that outgrow theirs. It also sees itself refuse.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Lines without tests, generated files and data, as the design gives them to rooms; two names: to both together. */
const shares: Readonly<Record<string, number>> = {
  'src/api': 20_000,
  'src/client': 3000,
  'src/control-plane/store': 3500,
  'src/control-plane/api-server': 20_000,
  'src/control-plane/pki': 600,
  'src/control-plane/scheduler': 6000,
  'src/control-plane/controllers': 11_000,
  'src/node/kubelet': 12_000,
  'src/node': 8000,
  'src/addons': 10_000,
  'src/cluster src/cli': 5000,
};

interface Source {
  readonly path: string;
  readonly text: string;
}

const read = (pattern: string): readonly Source[] =>
  globSync(pattern, { cwd: root })
    .filter((path) => !path.startsWith('src/api/generated/'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
const sources = read('{src,test,bench,scripts,examples}/**/*.ts');
const texts = [...sources, ...read('{src,scripts}/**/*.{cjs,sh}'), ...read('{*.md,docs/**/*.md}')];
const decisions = globSync('docs/adr/*.md', { cwd: root }).map((path) => basename(path));
for (const line of describeRooms(sources)) console.log(line);
const problems = [...circles(sources), ...missingFiles(texts), ...decisionsOfOneNumber(decisions), ...unseen()];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);

/** Each circle once, from the file that comes first in it. Types count: who needs another's words depends on it. */
function circles(all: readonly Source[]): string[] {
  const imports = new Map(all.map(({ path, text }) => [path, importsOf(path, text)]));
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path);
    if (at >= 0) found.push(`a circle of imports: ${[...way.slice(at), path].join(' → ')}`);
    if (at >= 0 || done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}

function importsOf(path: string, text: string): string[] {
  const statements = text.matchAll(/\b(?:from |import |import\()'(\.[^']+\.ts)'/g);
  return [...statements].map(([, to = '']) => normalize(join(dirname(path), to)));
}

/** Named in comments or documentation, by its name or its whole path, and nowhere to be found. */
function missingFiles(all: readonly Source[]): string[] {
  const paths = new Set([...all.map(({ path }) => path), 'src/api/generated/kinds.ts']);
  const names = new Set([...paths].map((path) => basename(path)));
  const isThere = (name: string): boolean => (/^(?:src|test|bench|scripts)\//.test(name) ? paths : names).has(name);
  return all.flatMap(({ path, text }) =>
    commentsOf(path, text)
      .flatMap((comment) => comment.match(/(?<![\w/-])(?:(?:src|test|bench|scripts)\/[a-z0-9/.-]+|[a-z0-9-]+)(?:\.test)?\.ts\b/g) ?? [])
      .filter((name) => !isThere(name))
      .map((name) => `${path} names ${name}, which is not there`),
  );
}

function commentsOf(path: string, text: string): readonly string[] {
  if (path.endsWith('.md')) return [text];
  return [...text.matchAll(/(?:^\s*(?:\/\*\*|\*|#)|\/\/)(.*)$/gm)].map(([, comment = '']) => comment);
}

function decisionsOfOneNumber(names: readonly string[]): string[] {
  const numbers = names.map((name) => name.slice(0, 4));
  return [...new Set(numbers.filter((number, i) => numbers.indexOf(number) !== i))].map(
    (number) => `two decisions have the number ${number}`,
  );
}

/** A check that can't fail is no check: each is to find the fault of a small house. */
function unseen(): string[] {
  const a = { path: 'src/a.ts', text: "/** See gone.ts, src/c/b.ts and src/b.ts. */\nimport type { B } from './b.ts';\n" };
  const b = { path: 'src/b.ts', text: "const a = await import('./a.ts');\n" };
  const seen = [...circles([a, b]), ...missingFiles([a, b]), ...decisionsOfOneNumber(['0001-a.md', '0001-b.md', '0002-c.md'])];
  const wanted = [
    'a circle of imports: src/a.ts → src/b.ts → src/a.ts',
    'src/a.ts names gone.ts, which is not there',
    'src/a.ts names src/c/b.ts, which is not there',
    'two decisions have the number 0001',
  ];
  return wanted.filter((line) => !seen.includes(line)).map((line) => `the check does not see: ${line}`);
}

function describeRooms(all: readonly Source[]): string[] {
  const rooms = Object.keys(shares).flatMap((room) => room.split(' ').map((folder) => ({ room, folder })));
  rooms.sort((a, b) => b.folder.length - a.folder.length); // the innermost first
  const lines = new Map<string, number>();
  for (const { path, text } of all) {
    const room = path.endsWith('.test.ts') ? undefined : rooms.find(({ folder }) => path.startsWith(`${folder}/`))?.room;
    if (room) lines.set(room, (lines.get(room) ?? 0) + text.split('\n').length - 1);
  }
  return Object.entries(shares).map(([room, share]) => {
    const count = lines.get(room) ?? 0;
    const mark = count > share ? `, ${count - share} more than its share` : '';
    return `${room.padEnd(28)} ${String(count).padStart(6)} of ${share} lines${mark}`;
  });
}
