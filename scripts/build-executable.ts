/**
 * Builds build/timonier, a single executable for this machine's platform: Node with the package (dist/, built before) as
 * its assets, lmdb's native part among them. src/cli/executable.cjs is what it runs first.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const build = join(root, 'build');
const platform = `${process.platform}-${process.arch}`;

const assets: Record<string, string> = {};
for (const file of globSync(['*', 'lib/**', 'examples/**'], { cwd: dist })) {
  if (statSync(join(dist, file)).isFile() && !file.endsWith('.map')) assets[file] = join(dist, file);
}
// Where lmdb looks first; of its builds those that fit any Node.
const natives = join(root, 'node_modules/@lmdb', `lmdb-${platform}`);
for (const file of globSync('node.napi.*node', { cwd: natives })) assets[`lib/lmdb/prebuilds/${platform}/${file}`] = join(natives, file);

rmSync(build, { recursive: true, force: true });
mkdirSync(build);
const hash = createHash('sha256');
for (const [key, file] of Object.entries(assets).sort()) hash.update(key).update(readFileSync(file));
assets['digest'] = join(build, 'digest');
writeFileSync(assets['digest'], hash.digest('hex').slice(0, 16));
const config = {
  main: join(root, 'src/cli/executable.cjs'),
  output: join(build, 'timonier'),
  disableExperimentalSEAWarning: true,
  execArgv: ['--max-semi-space-size=4', '--disable-sigusr1'],
  execArgvExtension: 'none',
  assets,
};
writeFileSync(join(build, 'config.json'), JSON.stringify(config));
execFileSync(process.execPath, ['--build-sea', join(build, 'config.json')], { stdio: ['ignore', 'ignore', 'inherit'] });
