/**
 * Sees the import direction check fail: writes one wrong import per room, runs the linter on it, and expects it to be
 * refused. A check that can't fail is no check.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const wrong = [
  { room: 'api', imports: '../client/clock.ts' },
  { room: 'client', imports: '../control-plane/store/storage.ts' },
  { room: 'control-plane', imports: '../node/runtime/container-runtime.ts' },
  { room: 'node', imports: '../control-plane/store/storage.ts' },
  { room: 'addons', imports: '../node/runtime/container-runtime.ts' },
  { room: 'cluster', imports: '../cli/output.ts' },
];

let missed = 0;
for (const { room, imports } of wrong) {
  const file = join(root, 'src', room, 'direction-check-probe.ts');
  writeFileSync(file, `import * as other from '${imports}';\n\nexport const probe = other;\n`);
  let refused = false;
  try {
    execFileSync(join(root, 'node_modules/.bin/biome'), ['lint', '--vcs-use-ignore-file=false', file], { cwd: root, stdio: 'pipe' });
  } catch (error) {
    refused = String((error as { stderr?: Buffer }).stderr).includes('noRestrictedImports');
  } finally {
    rmSync(file);
  }
  if (!refused) {
    missed++;
    console.error(`src/${room} may import ${imports}: the direction check does not hold`);
  }
}
if (missed) process.exit(1);
console.log(`import direction: ${wrong.length} wrong imports, all refused`);
