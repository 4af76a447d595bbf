/**
 * A cluster of real nodes whose data directory was removed by hand, while it ran or after it died, in part or in whole: its
 * name is still known, no start makes another cluster of what is left, and `delete` takes all of it away. Real containers,
 * in namespaces of its own.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { after, before, describe } from 'node:test';
import { isAlive } from '../../src/client/processes.ts';
import { readSupervision } from '../../src/cluster/instance/supervision.ts';
import { busyboxImage } from './busybox-image.ts';
import { machineState } from './machine-state.ts';
import { inSteps, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'lost:1';
const archive = '/var/lib/lost.tar';
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'goes-on', namespace: 'default' },
  spec: { containers: [{ name: 'main', image, command: ['sleep', '36000'] }] },
};
const sh = (script: string, ...args: readonly string[]): string => execFileSync('sh', ['-c', script, 'sh', ...args], { encoding: 'utf8' });

interface Loss {
  readonly name: string;
  readonly isKilledBefore: boolean;
  /** `$1` is the directory */
  readonly script: string;
  readonly isThere: boolean;
}
const losses: readonly Loss[] = [
  {
    name: 'in part, as what is mounted in it can’t be removed, after it died',
    isKilledBefore: true,
    script: 'rm -rf "$1" 2>/dev/null; true',
    isThere: true,
  },
  {
    name: 'in whole, after it died',
    isKilledBefore: true,
    script:
      'while grep -q " $1/" /proc/self/mounts; do awk -v d="$1/" \'index($2, d) == 1 { print $2 }\' /proc/self/mounts | xargs umount -l; done; rm -rf "$1"',
    isThere: false,
  },
  { name: 'while it runs', isKilledBefore: false, script: 'rm -rf "$1" 2>/dev/null; true', isThere: true },
];

function lost(): void {
  losses.forEach(({ name, isKilledBefore, script, isThere }, i) => {
    describe(`a directory is removed by hand ${name}`, () => {
      const step = inSteps();
      let cluster: OwnCluster;
      let machineBefore: ReturnType<typeof machineState>;
      const state = () => machineState([cluster.dir, `timonier-${cluster.name}`]);

      before(async () => {
        cluster = await OwnCluster.named(`lost-${i}-${process.pid}`, { root: '/var/lib/lost/clusters' });
        mkdirSync('/var/lib/lost', { recursive: true });
        writeFileSync(archive, busyboxImage(image));
        machineBefore = state();
      });
      after(async () => void (await cluster.tryTimonier('delete', cluster.name)));

      step('the cluster is told as such', async () => {
        await cluster.timonier('up', cluster.name, '--nodes', '2', '--port', '0', '--timeout', '100');
        await cluster.timonier('image', 'load', '--cluster-name', cluster.name, archive);
        assert.equal((await cluster.apply(pod)).code, 0);
        await cluster.kubectl('wait', '--for=condition=Ready', 'pod/goes-on', '--timeout=90s');
        const started = cluster.state();
        if (isKilledBefore) {
          process.kill(readSupervision(cluster.dir)?.pid ?? assert.fail('no supervisor'), 'SIGKILL');
          process.kill(started.pid, 'SIGKILL');
          while (isAlive(started)) await new Promise(setImmediate);
        }
        sh(script, cluster.dir);
        assert.equal(existsSync(cluster.dir), isThere);
        assert.match(await cluster.timonier('list'), new RegExp(`^${cluster.name} +damaged`, 'm'));
        const { code, stdout } = await cluster.tryTimonier('status', cluster.name);
        assert.equal(code, 1);
        assert.match(
          stdout,
          new RegExp(`(is gone|and what tells of it in .* is gone)\\n {2}fix: .*timonier (delete|down) ${cluster.name}`),
        );
      });

      step('no start makes another of it', async () => {
        const before = state();
        const { code, stderr } = await cluster.tryTimonier('up', cluster.name, '--nodes', '1', '--port', '0');
        assert.equal(code, 1);
        assert.match(stderr, new RegExp(`gone\\n {2}fix: timonier (delete|down) ${cluster.name}`));
        assert.deepEqual(state(), before);
      });

      step('and is deleted without a trace', async () => {
        assert.match(await cluster.timonier('delete', cluster.name), /is deleted\.\n$/);
        assert.deepEqual(state(), machineBefore);
        assert.equal(existsSync(cluster.dir), false);
        assert.match((await cluster.tryTimonier('delete', cluster.name)).stderr, /there is no cluster/);
      });
    });
  });
}

if (inOwnNamespaces(import.meta.url)) lost();
