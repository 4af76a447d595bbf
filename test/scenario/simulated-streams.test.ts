/** exec, attach and port-forward on simulated nodes: by an unmodified kubectl, and in every protocol that clients speak. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WebSocket } from 'ws';
import { Pod } from '../../src/api/generated/kinds.ts';
import { bundledKubectl } from '../../src/cli/bundled-kubectl.ts';
import { accessOf, parseKubeconfig } from '../../src/client/files/kubeconfig.ts';
import { type Cluster, startCluster } from '../../src/index.ts';
import { invoke, type Outcome } from '../host/own-cluster.ts';

const sleeper = 'sleeper';
const talker = 'talker';
const overSPDY = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' };
/** Bytes outside the heap that something still refers to. */
function held(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect(); // buffers are given back by the next one
  return process.memoryUsage().arrayBuffers;
}

describe('streams of simulated pods', () => {
  let cluster: Cluster;
  let dir: string;
  let access: Awaited<ReturnType<typeof accessOf>>;

  before(async () => {
    cluster = await startCluster({ simulated: 1 });
    dir = await mkdtemp(join(tmpdir(), 'simulated-streams-'));
    await writeFile(join(dir, 'kubeconfig'), cluster.kubeconfig);
    access = await accessOf(await parseKubeconfig(cluster.kubeconfig));
    for (const name of [sleeper, talker]) {
      const containers = [{ name: 'main', image: 'busybox', command: ['sh', '-c', 'echo one; echo two; sleep 1h'] }];
      await cluster.client.create(Pod, { metadata: { name, namespace: 'default' }, spec: { containers } });
      for await (const { object } of cluster.client.watch(Pod, { namespace: 'default', fieldSelector: `metadata.name=${name}` }))
        if ((object as Pod).status.phase === 'Running') break;
    }
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  const kubectl = async (args: readonly string[], { input = '', env = {} } = {}): Promise<Outcome> =>
    invoke((await bundledKubectl()) ?? '', args, { input, env: { KUBECONFIG: join(dir, 'kubeconfig'), ...env } });

  for (const [how, env] of Object.entries({ 'a WebSocket': {}, SPDY: overSPDY })) {
    const table: readonly { readonly args: readonly string[]; readonly input?: string; readonly want: Partial<Outcome> }[] = [
      { args: ['exec', sleeper, '--', 'sh', '-c', 'echo hello; exit 3'], want: { code: 3, stdout: 'hello\n' } },
      { args: ['exec', sleeper, '--', 'true'], want: { code: 0, stdout: '', stderr: '' } },
      { args: ['exec', sleeper, '--', 'sh', '-c', `echo ${'x'.repeat(20_000)}`], want: { code: 0, stdout: `${'x'.repeat(20_000)}\n` } },
      { args: ['exec', '-i', sleeper, '--', 'cat'], input: 'a\nb\n', want: { code: 0, stdout: 'a\nb\n', stderr: '' } },
      {
        args: ['exec', sleeper, '--', 'ls'],
        want: { code: 126, stderr: 'this container is simulated: ls was not run\ncommand terminated with exit code 126\n' },
      },
      {
        args: ['port-forward', sleeper, '0:80'],
        want: {
          code: 1,
          stderr:
            'error: error upgrading connection: unable to upgrade connection: this pod is simulated: no program runs in it, so nothing answers on its ports; a real node runs programs: timonier up --nodes 1\n',
        },
      },
    ];
    for (const { args, input, want } of table)
      it(`kubectl ${args.join(' ')}, over ${how}`, async () => {
        const outcome = await kubectl(args, { env, ...(input !== undefined && { input }) });
        assert.deepEqual({ ...outcome, ...want }, outcome);
      });
  }

  it('kubectl cp copies nothing, and says so', async () => {
    await writeFile(join(dir, 'cake'), 'sponge');
    for (const [from, to] of [
      [join(dir, 'cake'), `${sleeper}:/cake`],
      [`${sleeper}:/cake`, join(dir, 'copy')],
    ] as const) {
      const { code, stdout, stderr } = await kubectl(['cp', from, to]);
      assert.equal(code, 1, `${from} to ${to}`);
      assert.match(stdout + stderr, /this container is simulated: it has no files to copy/);
    }
  });

  it('kubectl gets what it asks for first', async () => {
    const { stderr } = await kubectl(['exec', '-v=8', sleeper, '--', 'echo', 'hi']);
    assert.match(stderr, /"Subprotocol negotiated" protocol="v5.channel.k8s.io"/);
    assert.equal(stderr.match(/verb="(GET|POST)" url="\S+\/exec/g)?.length, 1);
  });

  it('kubectl attaches until the container ends', async () => {
    const args = ['attach', talker];
    const child = spawn((await bundledKubectl()) ?? '', args, { env: { ...process.env, KUBECONFIG: join(dir, 'kubeconfig') } });
    const said: Buffer[] = [];
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      said.push(chunk);
      if (chunk.includes('two\n')) await cluster.client.delete(Pod, { name: talker, namespace: 'default' });
    }
    assert.equal(Buffer.concat(said).toString(), 'one\ntwo\n');
    assert.deepEqual(await once(child, 'close'), [0, null]);
  });

  /** Connects to exec; what is sent at once, and what comes by channel until the end. */
  const exec = async (protocol: string, command: readonly string[], send: readonly (Buffer | string)[] = []) => {
    const { server, ca, cert, key } = access;
    const query = new URLSearchParams([
      ...['stdin', 'stdout', 'stderr'].map((name) => [name, 'true']),
      ...command.map((word) => ['command', word]),
    ]);
    const url = `${server.replace('https', 'wss')}/api/v1/namespaces/default/pods/sleeper/exec?${query}`;
    const socket = new WebSocket(url, protocol ? [protocol] : [], { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
    const said: Record<string, string> = {};
    const isText = protocol.includes('base64');
    socket.on('message', (data: Buffer) => {
      const channel = isText ? String.fromCharCode(data[0] ?? 0) : String(data[0]);
      const text = isText ? Buffer.from(data.subarray(1).toString(), 'base64').toString() : data.subarray(1).toString();
      said[channel] = (said[channel] ?? '') + text;
    });
    socket.on('open', () => {
      for (const message of send) socket.send(message);
    });
    const code = await new Promise<number>((resolve, reject) => socket.on('close', resolve).on('error', reject));
    return { code, said, protocol: socket.protocol };
  };

  const failure = {
    metadata: {},
    status: 'Failure',
    message: 'command terminated with non-zero exit code: exit status 7',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '7' }] },
  };
  for (const [protocol, ofSuccess, ofFailure] of [
    ['v5.channel.k8s.io', JSON.stringify({ metadata: {}, status: 'Success' }), JSON.stringify(failure)],
    ['v4.channel.k8s.io', JSON.stringify({ metadata: {}, status: 'Success' }), JSON.stringify(failure)],
    ['v4.base64.channel.k8s.io', JSON.stringify({ metadata: {}, status: 'Success' }), JSON.stringify(failure)],
    ['channel.k8s.io', undefined, failure.message],
    ['base64.channel.k8s.io', undefined, failure.message],
    ['', undefined, failure.message],
  ] as const)
    it(`a client that speaks ${protocol || 'nothing in particular'}`, async () => {
      const succeeded = await exec(protocol, ['echo', 'hi']);
      const output = { 1: 'hi\n', ...(ofSuccess && { 3: ofSuccess }) };
      assert.deepEqual(succeeded, { code: 1000, said: output, protocol });
      const failed = await exec(protocol, ['sh', '-c', 'echo hi; exit 7']);
      assert.deepEqual(failed, { code: 1000, said: { 1: 'hi\n', 3: ofFailure }, protocol });
    });

  it('input comes in messages, and ends with the signal of v5', async () => {
    const { said } = await exec('v5.channel.k8s.io', ['cat'], [Buffer.from('\0one '), Buffer.from('\0two'), Buffer.of(255, 0)]);
    assert.equal(said['1'], 'one two');
  });

  it('a protocol that is not known', async () => {
    await assert.rejects(exec('v6.channel.k8s.io', ['true']), /Unexpected server response: 403/);
  });

  it('what a slow client does not read is not held in memory', async () => {
    const { server, ca, cert, key } = access;
    const url = `${server.replace('https', 'wss')}/api/v1/namespaces/default/pods/sleeper/exec?stdin=1&stdout=1&command=cat`;
    const socket = new WebSocket(url, 'v5.channel.k8s.io', { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
    await new Promise((resolve) => socket.on('open', resolve));
    const [mebibyte, total] = [2 ** 20, 48];
    const message = Buffer.alloc(mebibyte + 1);
    const heldBefore = held();
    let [received, heldMax, messages] = [0, 0, 0];
    socket.on('message', (data: Buffer) => {
      if (data[0] !== 1) return;
      received += data.length - 1;
      if (++messages % 100 === 0) heldMax = Math.max(heldMax, held() - heldBefore);
      // slower than what sends
      socket.pause();
      setImmediate(() => setImmediate(() => socket.resume()));
    });
    const send = (left: number): void =>
      socket.send(left > 0 ? message : Buffer.of(255, 0), () => {
        if (left > 0) send(left - 1);
      });
    send(total);
    await new Promise((resolve) => socket.on('close', resolve));
    assert.equal(received, total * mebibyte);
    assert.ok(heldMax < 12 * mebibyte, `${Math.round(heldMax / mebibyte)} MiB held`);
  });
});
