/**
 * Installs what a real node needs and the machine lacks, from the distribution, by apt. Only as root on Debian and its
 * children; elsewhere says what to install. Changes no configuration. The package may start the distribution's own
 * containerd; no cluster uses it, since each starts one of its own.
 */
import { spawn } from 'node:child_process';
import { OperationError } from '../operation-error.ts';
import { detectMachine, type Machine, realNodesPossible } from './machine.ts';

export const debianPackages = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'nftables',
  'conntrack',
  'iproute2',
  'util-linux',
  'busybox-static',
];

/** The machine as it is after installing. `onLine` gets what apt prints. */
export async function installMissing(machine: Machine, onLine: (line: string) => void): Promise<Machine> {
  const possible = realNodesPossible(machine);
  if (possible.ok) return machine;
  if (machine.platform !== 'linux' || !machine.isRoot || !machine.hasApt) {
    throw new OperationError({
      code: 'install-impossible',
      message: `can't install here what is missing: ${possible.missing}`,
      fix: 'run as root on Debian or Ubuntu, or install them by hand; `timonier up --nodes 0 --simulated 1` needs none of it',
    });
  }
  await apt(['update', '-qq'], onLine);
  await apt(['install', '-y', '-qq', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0', ...debianPackages], onLine);
  const after = await detectMachine();
  const still = realNodesPossible(after);
  if (!still.ok) {
    throw new OperationError({
      code: 'install-incomplete',
      message: `still missing after the installation: ${still.missing}`,
      fix: still.fix,
    });
  }
  return after;
}

function apt(args: readonly string[], onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('apt-get', args, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let tail = '';
    const take = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-2000);
      for (const line of chunk.toString().split('\n')) if (line.trim()) onLine(line);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(aptFailure(`apt-get ${args[0]} failed (exit ${code})`, tail.trim()));
    });
  });
}

const offline = /Temporary failure resolving|Could not resolve|Network is unreachable|Could not connect|Connection timed out/;
const busy = /Could not get lock|Unable to acquire the dpkg frontend lock/;

/** By what apt printed last. Pure. */
export function aptFailure(what: string, said: string): OperationError {
  if (offline.test(said)) {
    const fix = `connect it; or install by hand: ${debianPackages.join(' ')}`;
    return new OperationError({ code: 'no-network', message: 'apt can’t reach its servers: this machine has no network', fix });
  }
  if (busy.test(said))
    return new OperationError({
      code: 'apt-busy',
      message: 'another program is installing packages',
      fix: 'wait for it, then run it again',
    });
  return new OperationError({ code: 'apt-failed', message: `${what}: ${said}`, fix: 'mend apt, then run it again' });
}
