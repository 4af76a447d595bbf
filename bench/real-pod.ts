/**
 * Start to the first pod Running on a real node: containerd, runc, CNI, an image that is there. Runs in network and mount
 * namespaces of its own, without uplink. Prints one JSON value.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildImageArchive } from '../src/node/runtime/oci-archive.ts';
import type { Row } from './figures.ts';
import { Generator } from './generator.ts';
import { runFirstPod } from './own-cases.ts';
import { OwnServer, sourceRoot } from './own-server.ts';

const busybox = '/bin/busybox';
const image = 'bench:1';
const name = 'real';

/** Why this machine can't; undefined when it can. */
export function whyNoRealPod(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux and root';
  const missing = ['containerd', 'runc', 'unshare', 'ip'].filter((program) => spawnSync('which', [program]).status !== 0);
  if (!existsSync(busybox)) missing.push(busybox);
  return missing.length > 0 ? `needs ${missing.join(', ')}` : undefined;
}

export function measureRealPod(dir: string): Row[] {
  const child = spawnSync('unshare', ['--net', '--mount', process.execPath, import.meta.filename, dir], {
    encoding: 'utf8',
    timeout: 180_000,
  });
  if (child.status !== 0)
    return [{ group: 'start', name: 'first pod on a real node', note: child.stderr.trim().split('\n').at(-1) ?? 'failed' }];
  return JSON.parse(child.stdout) as Row[];
}

async function measure(dir: string): Promise<Row[]> {
  spawnSync('ip', ['link', 'set', 'lo', 'up']);
  {
    await using _server = await OwnServer.start({ dir, name, nodes: 1, keepData: true });
    const archive = join(dir, 'image.tar');
    writeFileSync(
      archive,
      buildImageArchive({ name: image, files: [{ path: 'bin/busybox', content: readFileSync(busybox), mode: 0o755 }] }),
    );
    const env = { ...process.env, TIMONIER_ROOT: join(dir, 'instances') };
    const loaded = spawnSync(process.execPath, [join(sourceRoot, 'src/cli/main.ts'), 'image', 'load', archive, '--cluster-name', name], {
      env,
      encoding: 'utf8',
    });
    if (loaded.status !== 0) throw new Error(`image load: ${loaded.stderr}`);
  }
  using generator = new Generator();
  const startMs = performance.now();
  await using server = await OwnServer.start({ dir, name, nodes: 1 });
  const readyMs = performance.now() - startMs;
  const fromCreateMs = await runFirstPod(server, generator, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'first' },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image, command: ['/bin/busybox', 'sleep', '1000'] }] },
  });
  const runningMs = performance.now() - startMs;
  return [
    { group: 'start', name: 'cluster ready with a real node, image present', ours: { ms: readyMs } },
    { group: 'start', name: 'first pod Running on it, from the start of the process', ours: { ms: runningMs } },
    { group: 'start', name: 'the same, from its create', ours: { ms: fromCreateMs } },
  ];
}

if (import.meta.main) process.stdout.write(JSON.stringify(await measure(process.argv[2] ?? '')));
