/**
 * The example application on real containers, on one node and on two, driven as a user would: the command line starts
 * the cluster, an unmodified kubectl does the rest. Runs in namespaces of its own.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { containerdPaths } from '../../src/node/runtime/containerd-config.ts';
import { Customer, fetchPage } from './customer.ts';
import { machineState } from './machine-state.ts';
import { inSteps, OwnCluster, succeed } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const shelf = '/var/tmp/timonier-bakery-shelf';
const nodePort = 30080;
/** What kubectl speaks by itself, and what its older versions spoke. */
const protocols = [{}, { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }];

/** A pod that runs a shell script of the bakery's image. */
const scriptPod = (name: string, script: string, more: { spec?: object; container?: object } = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'bakery' },
  spec: {
    containers: [{ name: 'main', image: 'bakery:1.0', command: ['/bin/sh', '-c', script], ...more.container }],
    ...more.spec,
  },
});

function theBakery(nodeCount: number): void {
  describe(`the bakery on ${nodeCount === 1 ? 'one node' : `${nodeCount} nodes`}`, () => {
    const step = inSteps();
    let cluster: OwnCluster;
    let files: string;
    let machineBefore: ReturnType<typeof machineState>;
    const manifests = (): string => join(files, 'bakery');
    const nodes = Array.from({ length: nodeCount }, (_, i) => i + 1);
    const nodeNames = (): string[] => nodes.map((number) => `${cluster.name}-${number}`);
    const kubectl = (...args: string[]): Promise<string> => cluster.kubectl('-n', 'bakery', ...args);
    const jsonpath = (what: string[], path: string): Promise<string> => kubectl('get', ...what, '-o', `jsonpath=${path}`);
    const nodeAddresses = async (): Promise<string[]> =>
      (await jsonpath(['nodes'], '{.items[*].status.addresses[?(@.type=="InternalIP")].address}')).split(' ');
    const clusterIP = (): Promise<string> => jsonpath(['service', 'front'], '{.spec.clusterIP}');
    const podsOf = async (app: string): Promise<{ name: string; node: string }[]> =>
      (await jsonpath(['pods', '-l', `app=${app}`], '{range .items[*]}{.metadata.name} {.spec.nodeName}{"\\n"}{end}'))
        .trim()
        .split('\n')
        .map((line) => line.split(' '))
        .map(([name = '', node = '']) => ({ name, node }));
    const onePod = async (app: string): Promise<string> => (await podsOf(app))[0]?.name ?? '';

    before(async () => {
      cluster = await OwnCluster.named(`bakery-${nodeCount}-${process.pid}`);
      files = mkdtempSync('/var/lib/bakery-');
      machineBefore = machineState([cluster.dir, `timonier-${cluster.name}`]);
    });
    after(async () => {
      await cluster.tryTimonier('delete', cluster.name);
      rmSync(shelf, { recursive: true, force: true });
      rmSync(files, { recursive: true, force: true });
    });

    step('starts, and says what to do next', async () => {
      const text = await cluster.timonier('up', cluster.name, '--nodes', String(nodeCount), '--timeout', '60');
      assert.match(text, /^ {2}api-server +\d+ ms$/m);
      assert.match(text, new RegExp(`^ {2}nodes +\\d+ ms {3}${nodeCount} real$`, 'm'));
      assert.match(text, new RegExp(`kubectl --context timonier-${cluster.name} get nodes\n$`));
      await kubectl('wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=5s');
      assert.equal((await jsonpath(['nodes'], '{.items[*].metadata.name}')).split(' ').length, nodeCount);
    });

    step('brings its manifests and images', async () => {
      const text = await cluster.timonier('example', 'bakery', manifests(), '--cluster-name', cluster.name);
      const where = nodeCount === 1 ? '' : ` on ${nodeCount} nodes`;
      for (const version of ['1.0', '2.0']) assert.match(text, new RegExp(`^loaded bakery:${version}${where} {2}[\\d.]+ MB {2}`, 'm'));
      assert.ok(text.includes(`  timonier kubectl --cluster-name ${cluster.name} apply -f ${manifests()}\n`));
      const listed = await cluster.timonier('image', 'ls', '--cluster-name', cluster.name);
      for (const version of ['1.0', '2.0'])
        assert.match(listed, new RegExp(`^bakery:${version} +[\\d.]+ MB +${nodeNames().join(',')}$`, 'm'));
    });

    step('opens', async () => {
      await cluster.kubectl('apply', '-f', manifests());
      await kubectl('rollout', 'status', 'deployment/front', '--timeout=60s');
      await kubectl('rollout', 'status', 'daemonset/delivery', '--timeout=60s');
      await kubectl('wait', '--for=condition=Complete', 'job/oven', '--timeout=60s');
      const delivery = await podsOf('delivery');
      assert.deepEqual(delivery.map(({ node }) => node).sort(), nodeNames());
      assert.deepEqual([...new Set((await podsOf('front')).map(({ node }) => node))].sort(), nodeNames());
    });

    step('answers through ClusterIP and NodePort', async () => {
      const urls = [`http://${await clusterIP()}/`, ...(await nodeAddresses()).map((address) => `http://${address}:${nodePort}/`)];
      for (const url of urls) {
        const page = await fetchPage(url);
        assert.match(page, /<h1>Fresh bread since 1936<\/h1>/);
        assert.match(page, /pain au levain/);
      }
    });

    step('is found by name from pods of every node, and through their own service', async () => {
      const ask = (host: string): string => `printf 'GET /version.txt HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${host} 80 | tail -n 1`;
      for (const { name } of await podsOf('delivery')) {
        for (const host of ['front', 'front.bakery', 'shop.bakery.svc.cluster.local', await clusterIP()])
          assert.equal(await kubectl('exec', name, '--', 'sh', '-c', `for i in 1 2 3 4; do ${ask(host)}; done`), '1.0\n'.repeat(4));
      }
      const own = await kubectl(
        'exec',
        await onePod('front'),
        '-c',
        'front',
        '--',
        'sh',
        '-c',
        `for i in 1 2 3 4 5 6; do ${ask('front')}; done`,
      );
      assert.equal(own, '1.0\n'.repeat(6));
      const lookup = await kubectl('exec', await onePod('delivery'), '--', 'nslookup', 'front.bakery.svc.cluster.local');
      assert.match(lookup, new RegExp(`Address: ${await clusterIP()}`));
    });

    step('lets pods reach the API as their service account', async () => {
      const script = `
        dir=/var/run/secrets/kubernetes.io/serviceaccount
        test "$(cat $dir/namespace)" = bakery && test -s $dir/token && grep -q CERTIFICATE $dir/ca.crt
        nc -w 5 $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT </dev/null && echo reached`;
      for (const { name } of await podsOf('front'))
        assert.equal(await kubectl('exec', name, '-c', 'front', '--', 'sh', '-c', script), 'reached\n');
    });

    step('shows logs of every pod', async () => {
      for (const { name } of await podsOf('front'))
        assert.equal(await kubectl('logs', name, '-c', 'front'), 'front 1.0 open on port 8080\n');
      assert.match(await kubectl('logs', '-l', 'app=delivery', '--prefix'), /delivery van of \S+, app="delivery"/);
      const baked = await kubectl('logs', '-l', 'app=oven', '--timestamps');
      assert.equal(baked.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z baked loaf \d$/gm)?.length, 6);
      assert.equal((await kubectl('exec', await onePod('delivery'), '--', 'ls', '/shelf')).trim().split('\n').length, 6);
    });

    step('runs commands, with input, terminal and exit code, in the protocol that kubectl asks for first', async () => {
      for (const { name } of await podsOf('delivery'))
        for (const env of protocols) {
          const args = ['-v=4', '-n', 'bakery', 'exec', '-i', name, '--', 'sh', '-c', 'cat; echo burnt >&2; exit 3'];
          const { code, stdout, stderr } = await cluster.tryKubectl(args, { input: 'dough', env });
          assert.deepEqual({ code, stdout }, { code: 3, stdout: 'dough' });
          assert.match(stderr, /^burnt$/m);
          assert.doesNotMatch(stderr, /fallback/);
        }
      assert.match(await kubectl('exec', await onePod('delivery'), '--', 'env'), new RegExp(`NODE_NAME=${cluster.name}-\\d`));
      assert.match(await kubectl('exec', await onePod('front'), '-c', 'front', '--', 'cat', '/etc/recipe/sourdough'), /patience/);
      const unread = { input: 'rye '.repeat(5000) };
      const early = await cluster.tryKubectl(['-n', 'bakery', 'exec', '-i', await onePod('delivery'), '--', 'sh', '-c', 'exit 4'], unread);
      assert.equal(early.code, 4);
      const missing = await cluster.tryKubectl(['-n', 'bakery', 'exec', await onePod('delivery'), '--', 'no-such-program']);
      assert.match(missing.stderr, /no-such-program.*executable file not found/);
    });

    step('copies files in and out', async () => {
      const [there, back] = [join(files, 'there'), join(files, 'back')];
      writeFileSync(there, 'rye '.repeat(1_000_000));
      for (const { name } of await podsOf('delivery'))
        for (const env of protocols) {
          for (const ways of [
            [there, `${name}:/tmp/rye`],
            [`${name}:/tmp/rye`, back],
          ]) {
            const { code, stderr } = await cluster.tryKubectl(['-v=4', '-n', 'bakery', 'cp', ...ways], { env });
            assert.equal(code, 0, stderr);
            assert.doesNotMatch(stderr, /fallback/);
          }
          assert.equal(readFileSync(back, 'utf8'), readFileSync(there, 'utf8'));
        }
    });

    step('forwards a port', async () => {
      for (const env of protocols) {
        const child = cluster.startKubectl(['-v=4', '-n', 'bakery', 'port-forward', 'service/front', ':80'], env);
        const errors: Buffer[] = [];
        child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
        try {
          const [line] = (await once(child.stdout, 'data')) as [Buffer];
          const port = /127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1];
          for (let i = 0; i < 3; i++) assert.equal(await fetchPage(`http://127.0.0.1:${port}/version.txt`), '1.0\n');
        } finally {
          child.kill();
          await once(child, 'close');
        }
        assert.doesNotMatch(Buffer.concat(errors).toString(), /fallback|error/i);
      }
    });

    step('brings a changed ConfigMap into the running pod', async () => {
      const volumes = { spec: { volumes: [{ name: 'menu', configMap: { name: 'menu' } }] } };
      const container = { volumeMounts: [{ name: 'menu', mountPath: '/etc/menu' }] };
      await cluster.apply(scriptPod('reader', 'exec sleep 1000', { ...volumes, container }));
      await kubectl('wait', '--for=condition=Ready', 'pod/reader', '--timeout=30s');
      await kubectl('patch', 'configmap', 'menu', '--type=merge', '-p', '{"data":{"greeting":"Bread and brioche"}}');
      await kubectl('exec', 'reader', '--', 'sh', '-c', 'until grep -q brioche /etc/menu/greeting; do sleep 1; done');
      await kubectl('delete', 'pod', 'reader', '--now');
    });

    step('scales', async () => {
      await kubectl('scale', 'deployment/front', '--replicas=5');
      await kubectl('rollout', 'status', 'deployment/front', '--timeout=60s');
      await kubectl('wait', '--for=jsonpath={.status.readyReplicas}=5', 'deployment/front', '--timeout=10s');
      await kubectl('scale', 'deployment/front', '--replicas=3');
      await kubectl('wait', '--for=jsonpath={.status.replicas}=3', 'deployment/front', '--timeout=30s');
    });

    step('changes its image and goes back, without one failed request', async () => {
      const addresses = await nodeAddresses();
      const customer = new Customer([
        `http://${await clusterIP()}/version.txt`,
        ...addresses.map((a) => `http://${a}:${nodePort}/version.txt`),
      ]);
      try {
        await kubectl('set', 'image', 'deployment/front', 'front=bakery:2.0');
        await kubectl('rollout', 'status', 'deployment/front', '--timeout=60s');
        await kubectl('wait', '--for=jsonpath={.status.terminatingReplicas}=0', 'deployment/front', '--timeout=60s');
        assert.equal(await fetchPage(`http://${await clusterIP()}/version.txt`), '2.0\n');
        assert.match(await kubectl('rollout', 'history', 'deployment/front'), /^1 .*\n2 /m);
        await kubectl('rollout', 'undo', 'deployment/front');
        await kubectl('rollout', 'status', 'deployment/front', '--timeout=60s');
        await kubectl('wait', '--for=jsonpath={.status.terminatingReplicas}=0', 'deployment/front', '--timeout=60s');
        assert.equal(await fetchPage(`http://${await clusterIP()}/version.txt`), '1.0\n');
      } finally {
        await customer.stop();
      }
      assert.deepEqual(customer.failures, []);
      assert.deepEqual([...customer.answers.keys()].sort(), ['1.0', '2.0']);
      assert.match(await kubectl('rollout', 'history', 'deployment/front'), /^2 .*\n3 /m);
    });

    step('restarts a container whose probe fails, and keeps what it said before', async () => {
      const livenessProbe = { exec: { command: ['/bin/sh', '-c', 'test ! -e /tmp/burnt'] }, periodSeconds: 1, failureThreshold: 1 };
      const script = 'echo "oven lit"; trap "echo oven out; exit 0" TERM; while :; do sleep 1 & wait $!; done';
      await cluster.apply(scriptPod('stove', script, { container: { livenessProbe }, spec: { terminationGracePeriodSeconds: 5 } }));
      await kubectl('wait', '--for=condition=Ready', 'pod/stove', '--timeout=30s');
      await kubectl('exec', 'stove', '--', 'touch', '/tmp/burnt');
      await kubectl('wait', '--for=jsonpath={.status.containerStatuses[0].restartCount}=1', 'pod/stove', '--timeout=30s');
      await kubectl('wait', '--for=condition=Ready', 'pod/stove', '--timeout=30s');
      assert.equal(await kubectl('logs', 'stove', '--previous'), 'oven lit\noven out\n');
      const events = await kubectl(
        'get',
        'events',
        '--field-selector=involvedObject.name=stove',
        '-o',
        'custom-columns=:.reason,:.message',
      );
      assert.match(events, /Unhealthy +Liveness probe failed/);
      assert.match(events, /Killing +Container main failed liveness probe, will be restarted/);
    });

    step('ends a pod gracefully, to the last line of its log', async () => {
      const follower = cluster.startKubectl(['-n', 'bakery', 'logs', '-f', 'stove']);
      const lines: Buffer[] = [];
      follower.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
      const over = once(follower, 'close');
      await once(follower.stdout, 'data');
      await kubectl('delete', 'pod', 'stove');
      await over;
      assert.equal(Buffer.concat(lines).toString(), 'oven lit\noven out\n');
    });

    step('attaches to a running container', async () => {
      await cluster.apply(
        scriptPod('till', 'while read -r line; do echo "sold $line"; done; echo closed', {
          container: { stdin: true, stdinOnce: true },
          spec: { restartPolicy: 'Never' },
        }),
      );
      await kubectl('wait', '--for=condition=Ready', 'pod/till', '--timeout=30s');
      const { stdout } = await cluster.tryKubectl(['-n', 'bakery', 'attach', '-i', 'till'], { input: 'a baguette\n' });
      assert.match(stdout, /sold a baguette\n/);
      await kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/till', '--timeout=30s');
      assert.equal(await kubectl('logs', 'till'), 'sold a baguette\nclosed\n');
    });

    step('serves on while its cluster is killed and comes back', async () => {
      const pods = await jsonpath(['pods'], '{range .items[*]}{.metadata.uid} {.status.containerStatuses[*].containerID}{"\\n"}{end}');
      const customer = new Customer([`http://${await clusterIP()}/version.txt`]);
      const { pid } = cluster.state();
      try {
        process.kill(pid, 'SIGKILL');
        await cluster.comesBack(pid);
        assert.match(await cluster.timonier('status', cluster.name), /^Supervisor: +process \d+, 1 restart \(SIGKILL, /m);
        await kubectl('rollout', 'status', 'deployment/front', '--timeout=60s');
      } finally {
        await customer.stop();
      }
      assert.deepEqual(customer.failures, []);
      assert.deepEqual([...customer.answers.keys()], ['1.0']);
      assert.equal(
        await jsonpath(['pods'], '{range .items[*]}{.metadata.uid} {.status.containerStatuses[*].containerID}{"\\n"}{end}'),
        pods,
      );
    });

    step('closes: with its namespace everything of it goes', async () => {
      const serviceIPs = (await jsonpath(['services'], '{.items[*].spec.clusterIP}')).split(' ');
      await cluster.kubectl('delete', 'namespace', 'bakery', '--timeout=90s');
      const kinds = (await kubectl('api-resources', '--namespaced', '--verbs=list', '-o', 'name')).trim().split('\n');
      assert.equal(await kubectl('get', kinds.filter((kind) => !kind.startsWith('events')).join(','), '-o', 'name'), '');
      for (const number of nodes) {
        const { socket } = containerdPaths(join(cluster.dir, 'nodes', String(number), 'containerd'));
        assert.equal(await succeed('ctr', ['--address', socket, '--namespace', 'k8s.io', 'containers', 'ls', '--quiet']), '');
        const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
        assert.deepEqual(
          mounts.filter((line) => line.includes(`${cluster.dir}/nodes/${number}/kubelet`)),
          [],
        );
        assert.deepEqual(globSync(`${cluster.dir}/nodes/${number}/kubelet/*/*`), []);
        assert.deepEqual(
          globSync(`/sys/fs/cgroup/*/timonier-${cluster.name}/${cluster.name}-${number}/kubepods/{,besteffort/,burstable/}pod*`),
          [],
        );
        const netns = number === 1 ? '/proc/self/ns/net' : `/run/netns/timonier-${cluster.name}-${number}`;
        const rules = await succeed('nsenter', [`--net=${netns}`, 'nft', 'list', 'ruleset']);
        for (const gone of [...serviceIPs, String(nodePort)]) assert.ok(!rules.includes(gone), `${gone} is still in the rules`);
      }
      assert.deepEqual(globSync('/{var/,}run/netns/cni-*'), []);
    });

    step('logged no error', async () => {
      const log = readFileSync(join(cluster.dir, 'timonier.log'), 'utf8');
      assert.deepEqual(
        log.split('\n').filter((line) => line.includes('"level":"error"')),
        [],
      );
    });

    step('is deleted without a trace', async () => {
      await cluster.timonier('delete', cluster.name);
      assert.deepEqual(machineState([cluster.dir, `timonier-${cluster.name}`]), machineBefore);
    });
  });
}

if (inOwnNamespaces(import.meta.url)) for (const nodeCount of [1, 2]) theBakery(nodeCount);
