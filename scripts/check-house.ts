/**
 * What the linter can't see of the house: files that import each other in a circle, comments that name files which are
 * not there, rooms that outgrow their share, decisions of one number. Prints each room's lines beside its share (docs/ARCHITECTURE.md draws them).
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

const sources: readonly Source[] = globSync('{src,test,bench,scripts,examples}/**/*.ts', { cwd: root })
  .filter((path) => !path.startsWith('src/api/generated/'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
const problems = [...circles(sources), ...missingFiles(sources), ...overgrown(sources), ...decisionsOfOneNumber()];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);

/** Each circle once, from the file that comes first in it. Types count: who needs another's words depends on it. */
function circles(all: readonly Source[]): string[] {
  const imports = new Map(all.filter(({ path }) => path.startsWith('src/')).map(({ path, text }) => [path, importsOf(path, text)]));
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
  const statements = text.matchAll(/^(?:import|export)\b[^;]*?from '(\.[^']+\.ts)'/gm);
  return [...statements].map(([, to = '']) => normalize(join(dirname(path), to)));
}

/** Named in comments, and nowhere to be found. */
function missingFiles(all: readonly Source[]): string[] {
  const names = new Set([...all.map(({ path }) => basename(path)), 'kinds.ts']); // generated
  return all.flatMap(({ path, text }) =>
    [...text.matchAll(/^\s*(?:\/\*\*|\*|\/\/)(.*)$/gm)]
      .flatMap(([, comment = '']) => comment.match(/\b[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.ts\b/g) ?? [])
      .filter((name) => !names.has(name))
      .map((name) => `${path} names ${name}, which is not there`),
  );
}

function decisionsOfOneNumber(): string[] {
  const numbers = globSync('docs/adr/*.md', { cwd: root }).map((path) => basename(path).slice(0, 4));
  return [...new Set(numbers.filter((number, i) => numbers.indexOf(number) !== i))].map(
    (number) => `two decisions have the number ${number}`,
  );
}

function overgrown(all: readonly Source[]): string[] {
  const rooms = Object.keys(shares).flatMap((room) => room.split(' ').map((folder) => ({ room, folder })));
  rooms.sort((a, b) => b.folder.length - a.folder.length); // the innermost first
  const lines = new Map<string, number>();
  for (const { path, text } of all) {
    const room = path.endsWith('.test.ts') ? undefined : rooms.find(({ folder }) => path.startsWith(`${folder}/`))?.room;
    if (room) lines.set(room, (lines.get(room) ?? 0) + text.split('\n').length - 1);
  }
  for (const [room, share] of Object.entries(shares)) console.log(`${room.padEnd(32)} ${lines.get(room) ?? 0} of ${share} lines`);
  return Object.entries(shares).flatMap(([room, share]) => {
    const count = lines.get(room) ?? 0;
    return count > share ? [`${room} has ${count} lines, ${count - share} more than its share`] : [];
  });
}
