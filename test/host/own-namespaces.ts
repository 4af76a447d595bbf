/**
 * Lets a test file run in network and mount namespaces of its own, without uplink and with an empty /run and /var/lib:
 * links, rules, mounts and state that it makes are not the machine's, and are gone when it ends.
 *
 * A machine that can't run it skips with the reason. In CI (CI=true) Linux with root is expected to have everything, so
 * there a missing program fails.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findCniPlugins } from '../../src/node/network/cni.ts';

const insideVariable = 'TIMONIER_TEST_NAMESPACE';
const neededPrograms = ['containerd', 'ctr', 'runc', 'ip', 'nft', 'nsenter', 'unshare'];
const binDirs = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** Debian's is static, so an image can be made of it. */
export const busybox = '/bin/busybox';

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

function whyNot(): { readonly reason: string; readonly canBeMended: boolean } | undefined {
  if (process.platform !== 'linux') return { reason: 'needs Linux', canBeMended: false };
  if (process.getuid?.() !== 0) return { reason: 'needs root', canBeMended: false };
  const missing = neededPrograms.filter((name) => !binDirs.some((dir) => isExecutable(`${dir}/${name}`)));
  if (!findCniPlugins()) missing.push('the CNI plugins');
  if (!existsSync(busybox)) missing.push(busybox);
  return missing.length > 0 ? { reason: `needs ${missing.join(', ')}`, canBeMended: true } : undefined;
}

/**
 * True inside. Outside it runs the file again inside, with its results reported as if they were this process's, and
 * gives false.
 */
export function inOwnNamespaces(fileURL: string): boolean {
  if (process.env[insideVariable] === fileURL) {
    // where containerd and CNI plugins of all of a machine's clusters keep something: here only the test's own
    for (const dir of ['/run', '/var/lib']) execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', dir]);
    execFileSync('ip', ['link', 'set', 'lo', 'up']);
    return true;
  }
  const file = fileURLToPath(fileURL);
  const why = whyNot();
  if (why) {
    test(`${file} in its own namespaces`, { skip: why.canBeMended && process.env['CI'] === 'true' ? false : why.reason }, () => {
      throw new Error(`this machine should be able to run it: ${why.reason}`);
    });
    return false;
  }
  const env = { ...process.env, [insideVariable]: fileURL };
  const { status } = spawnSync('unshare', ['--net', '--mount', process.execPath, ...process.execArgv, file], { stdio: 'inherit', env });
  if (status !== 0) process.exitCode = 1;
  return false;
}
