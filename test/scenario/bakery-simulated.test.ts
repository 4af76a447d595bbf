/**
 * The example application, unmodified, on simulated nodes, for a user without rights: the command line starts the cluster,
 * kubectl does the rest. Whatever needs no container is as on real ones.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { inSteps, OwnCluster, type User } from '../host/own-cluster.ts';

const checkout = join(import.meta.dirname, '..', '..');
const manifests = join(checkout, 'examples', 'bakery', 'manifests');
const nobody: User = { uid: 65_534, gid: 65_534 };

/** Who can do nothing; root itself only where the checkout is closed to others. */
function unprivileged(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const { status } = spawnSync(process.execPath, ['--version'], { ...nobody, cwd: '/' });
  return status === 0 && spawnSync('ls', [manifests], { ...nobody, cwd: '/' }).status === 0 ? nobody : undefined;
}

describe('the bakery on simulated nodes', () => {
  const step = inSteps();
  const user = unprivileged();
  let home: string;
  let cluster: OwnCluster;
  const kubectl = (...args: string[]): Promise<string> => cluster.kubectl('-n', 'bakery', ...args);
  const jsonpath = (what: string[], path: string): Promise<string> => kubectl('get', ...what, '-o', `jsonpath=${path}`);
  const images = async (): Promise<string[]> =>
    (await jsonpath(['pods', '-l', 'app=front'], '{.items[*].spec.containers[0].image}')).split(' ');

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'timonier-home-'));
    if (user) chownSync(home, user.uid, user.gid);
    const root = join(home, '.local', 'share', 'timonier');
    // Root, kubeconfig and caches are the user's own, below the home directory; root has its clusters elsewhere.
    const env = {
      HOME: home,
      XDG_DATA_HOME: '',
      XDG_CACHE_HOME: '',
      NODE_COMPILE_CACHE: join(home, '.cache'),
      KUBECONFIG: join(home, '.kube', 'config'),
    };
    cluster = await OwnCluster.named('bakery', { root, env, ...(user && { user }) });
  });
  after(async () => {
    await cluster.tryTimonier('delete', 'bakery');
    rmSync(home, { recursive: true, force: true });
  });

  step('starts, and says what is missing', async () => {
    const real = user || process.getuid?.() !== 0 ? [] : ['--nodes', '0'];
    const text = await cluster.timonier('up', 'bakery', ...real, '--simulated', '2', '--port', '0');
    if (real.length === 0) {
      assert.match(text, /^No real node here: .*root \(no \(uid \d+\)\)/);
      assert.match(text, /A simulated one instead: pods become Running, but no container runs/);
    }
    assert.match(text, /kubectl --context timonier-bakery get nodes\n$/);
    assert.equal((await cluster.kubectl('get', 'nodes', '-o', 'name')).trim(), 'node/bakery-simulated-1\nnode/bakery-simulated-2');
  });

  step('opens', async () => {
    await cluster.kubectl('apply', '-f', manifests);
    await kubectl('rollout', 'status', 'deployment/front', '--timeout=60s');
    await kubectl('rollout', 'status', 'daemonset/delivery', '--timeout=60s');
    await kubectl('wait', '--for=condition=complete', 'job/oven', '--timeout=60s');
    await kubectl('wait', '--for=condition=Available', 'deployment/front', '--timeout=5s');
    const pods = await kubectl('get', 'pods');
    assert.equal(pods.match(/^front-\S+ +1\/1 +Running +0 /gm)?.length, 3, pods);
    assert.equal(pods.match(/^delivery-\S+ +1\/1 +Running +0 /gm)?.length, 2, pods);
    assert.equal(pods.match(/^oven-\d-\S+ +0\/1 +Completed +0 /gm)?.length, 6, pods);
    assert.equal(await jsonpath(['job', 'oven'], '{.status.succeeded} {.status.completedIndexes}'), '6 0-5');
    assert.match(await kubectl('apply', '-f', manifests), /^deployment\.apps\/front unchanged$/m);
  });

  step('has its services, endpoints and rights', async () => {
    assert.match(await jsonpath(['service', 'front'], '{.spec.clusterIP}'), /^10\.96\.\d+\.\d+$/);
    assert.equal(await jsonpath(['service', 'shop'], '{.spec.ports[0].nodePort}'), '30080');
    const podIPs = (await jsonpath(['pods', '-l', 'app=front'], '{.items[*].status.podIP}')).split(' ').sort();
    for (const service of ['front', 'shop']) {
      const selector = `kubernetes.io/service-name=${service}`;
      const ready = '{range .items[*].endpoints[?(@.conditions.ready==true)]}{.addresses[0]} {end}';
      assert.deepEqual((await jsonpath(['endpointslices', '-l', selector], ready)).trim().split(' ').sort(), podIPs);
    }
    const can = async (what: string[]): Promise<string> =>
      (await cluster.tryKubectl(['-n', 'bakery', 'auth', 'can-i', ...what, '--as=system:serviceaccount:bakery:baker'])).stdout;
    assert.equal(await can(['get', 'configmap/menu']), 'yes\n');
    assert.equal(await can(['get', 'secret/recipe']), 'no\n');
  });

  step('scales', async () => {
    await kubectl('scale', 'deployment/front', '--replicas=5');
    await kubectl('rollout', 'status', 'deployment/front', '--timeout=60s');
    assert.equal(await jsonpath(['deployment', 'front'], '{.status.readyReplicas}'), '5');
    await kubectl('scale', 'deployment/front', '--replicas=2');
    await kubectl('wait', '--for=jsonpath={.status.replicas}=2', 'deployment/front', '--timeout=30s');
  });

  step('changes its image and goes back', async () => {
    await kubectl('set', 'image', 'deployment/front', 'front=bakery:2.0');
    await kubectl('rollout', 'status', 'deployment/front', '--timeout=60s');
    await kubectl('wait', '--for=jsonpath={.status.terminatingReplicas}=0', 'deployment/front', '--timeout=60s');
    assert.deepEqual(await images(), ['bakery:2.0', 'bakery:2.0']);
    await kubectl('rollout', 'undo', 'deployment/front');
    await kubectl('rollout', 'status', 'deployment/front', '--timeout=60s');
    await kubectl('wait', '--for=jsonpath={.status.terminatingReplicas}=0', 'deployment/front', '--timeout=60s');
    assert.deepEqual(await images(), ['bakery:1.0', 'bakery:1.0']);
    assert.match(await kubectl('rollout', 'history', 'deployment/front'), /^2 .*\n3 /m);
  });

  step('closes: with its namespace everything of it goes', async () => {
    await cluster.kubectl('delete', 'namespace', 'bakery', '--timeout=60s');
    const kinds = (await kubectl('api-resources', '--namespaced', '--verbs=list', '-o', 'name')).trim().split('\n');
    assert.equal(await kubectl('get', kinds.join(','), '-o', 'name'), '');
  });

  step('logged no error, and is deleted without a trace', async () => {
    const log = readFileSync(join(cluster.dir, 'timonier.log'), 'utf8');
    assert.deepEqual(
      log.split('\n').filter((line) => line.includes('"level":"error"')),
      [],
    );
    await cluster.timonier('delete', 'bakery');
    assert.equal(existsSync(cluster.root), false);
    assert.deepEqual(
      readdirSync(home).filter((name) => !['.cache', '.kube', '.local'].includes(name)),
      [],
    );
    assert.equal(existsSync(join(home, '.kube', 'config')), false); // it was made for this cluster
  });
});
