/** Builds dist/ for the npm package: JavaScript and declarations from src, and the data files and scripts beside them. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
for (const file of [...globSync('src/**/data/**', { cwd: root }), ...globSync('src/**/*.sh', { cwd: root })]) {
  if (/\.\w+$/.test(file)) cpSync(join(root, file), join(dist, file.slice('src/'.length)));
}
const main = join(dist, 'cli/main.js');
writeFileSync(main, `#!/usr/bin/env node\n${readFileSync(main, 'utf8')}`);
chmodSync(main, 0o755);
