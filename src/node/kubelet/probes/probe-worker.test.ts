/** When a probe asks, and what its answers amount to, on a virtual clock. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { container, testPod } from '../../../../test/kit/test-pods.ts';
import type { Probe } from '../../../api/generated/core-v1.ts';
import { realClock, seededRandom } from '../../../client/clock.ts';
import { silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { type ContainerRuntime, RuntimeError } from '../../runtime/container-runtime.ts';
import { TimerWheel } from '../timer-wheel.ts';
import { httpGet, planHTTPGet } from './http-get.ts';
import { type ProbedContainer, ProbeWorker } from './probe-worker.ts';
import { type ProbeType, runProbe } from './run-probe.ts';

function setUp(type: ProbeType, probe: Probe, answers: (atSeconds: number) => boolean) {
  const clock = new VirtualClock();
  const startedMs = clock.now();
  const asked: number[] = [];
  const told: string[] = [];
  const runtime = {
    simulation: {
      probe: () => {
        const at = (clock.now() - startedMs) / 1000;
        asked.push(at);
        return { success: answers(at), message: 'no' };
      },
    },
  } as unknown as ContainerRuntime;
  const wheel = new TimerWheel(clock);
  const events = { event: (_about: unknown, _type: string, reason: string, message: string) => told.push(`${reason}: ${message}`) };
  let verdicts = 0;
  const at = { type, pod: testPod(), container: container('main'), probe };
  const environment = { runtime, clock, random: seededRandom(1), wheel, events, log: silentLog, startedAtMs: startedMs };
  const worker = new ProbeWorker(environment, at, () => verdicts++);
  const target = (more: Partial<ProbedContainer> = {}): ProbedContainer => ({
    id: 'a',
    startedAtMs: clock.now(),
    podIP: '',
    started: type !== 'startup',
    told: { started: false, ready: false },
    ...more,
  });
  const update = (to: ProbedContainer | undefined): void => worker.update(at, to);
  return { clock, worker, asked, told, target, update, verdicts: () => verdicts };
}

describe('a probe', () => {
  test('asks after its initial delay, then every period', async () => {
    const { clock, asked, target, update } = setUp('readiness', { initialDelaySeconds: 5, periodSeconds: 3 }, () => true);
    update(target());
    await clock.advance(12_000);
    assert.deepEqual(asked, [5, 8, 11]);
  });
  test('counts to its thresholds', async () => {
    const probe = { periodSeconds: 1, successThreshold: 2, failureThreshold: 3 };
    const { clock, worker, target, update, verdicts, told } = setUp('readiness', probe, (at) => at < 5);
    update(target());
    assert.equal(worker.verdict('a'), 'failure');
    await clock.advance(500);
    assert.equal(worker.verdict('a'), 'failure');
    await clock.advance(1000);
    assert.equal(worker.verdict('a'), 'success');
    await clock.advance(5000);
    assert.deepEqual([worker.verdict('a'), verdicts()], ['success', 1]);
    await clock.advance(1000);
    assert.deepEqual([worker.verdict('a'), verdicts()], ['failure', 2]);
    assert.equal(told[0], 'Unhealthy: Readiness probe failed: no');
  });
  test('liveness rests after it failed, until there is a new container', async () => {
    const { clock, worker, asked, target, update } = setUp('liveness', { periodSeconds: 1, failureThreshold: 2 }, () => false);
    update(target());
    assert.equal(worker.verdict('a'), 'success');
    await clock.advance(5000);
    assert.deepEqual([worker.verdict('a'), asked.length], ['failure', 2]);
    update(target({ id: 'b' }));
    assert.deepEqual([worker.verdict('a'), worker.verdict('b')], [undefined, 'success']);
    await clock.advance(500);
    assert.equal(asked.length, 3);
  });
  test('startup rests once it is decided', async () => {
    const { clock, worker, asked, target, update } = setUp('startup', { periodSeconds: 1, failureThreshold: 5 }, (at) => at >= 2);
    update(target());
    assert.equal(worker.verdict('a'), 'unknown');
    await clock.advance(10_000);
    assert.deepEqual([worker.verdict('a'), asked], ['success', [0, 1, 2]]);
  });
  test('the others wait until the container has started', async () => {
    const { clock, asked, target, update } = setUp('liveness', { periodSeconds: 1 }, () => true);
    const first = target({ started: false });
    update(first);
    await clock.advance(3000);
    assert.deepEqual(asked, []);
    update({ ...first, started: true });
    await clock.advance(1500);
    assert.deepEqual(asked, [3, 4]);
  });
  test('a container that was ready before the kubelet stays so until it is asked', async () => {
    const { clock, worker, target, update } = setUp('readiness', { periodSeconds: 10, failureThreshold: 1 }, () => false);
    update(target({ startedAtMs: clock.now() - 60_000, told: { started: true, ready: true } }));
    assert.equal(worker.verdict('a'), 'success');
    await clock.advance(10_000);
    assert.equal(worker.verdict('a'), 'failure');
  });
  test('stops with its container, and for good', async () => {
    const { clock, worker, asked, target, update } = setUp('readiness', { periodSeconds: 1 }, () => true);
    update(target());
    await clock.advance(500);
    update(undefined);
    assert.equal(worker.verdict('a'), 'failure');
    await clock.advance(5000);
    assert.equal(asked.length, 1);
    update(target({ id: 'b' }));
    worker[Symbol.dispose]();
    await clock.advance(5000);
    assert.deepEqual([asked.length, clock.pending], [1, 0]);
  });
});

describe('runProbe', () => {
  const runtime = (execSync: ContainerRuntime['execSync']) => ({ execSync }) as unknown as ContainerRuntime;
  const target = (rt: ContainerRuntime, port = 0) => ({
    runtime: rt,
    clock: realClock,
    container: container('main', { ports: [{ name: 'http', containerPort: port }], env: [{ name: 'A', value: 'x' }] }),
    containerID: 'c',
    podIP: '127.0.0.1',
    signal: new AbortController().signal,
  });
  test('exec: the exit code decides; literal variables are known', async () => {
    const seen: (readonly string[])[] = [];
    const rt = runtime(async ({ cmd }) => {
      seen.push(cmd);
      return { exitCode: 1, stdout: Buffer.from('out'), stderr: Buffer.from('err') };
    });
    assert.deepEqual(await runProbe('liveness', { exec: { command: ['t', '$(A)'] } }, target(rt)), { result: 'failure', output: 'outerr' });
    assert.deepEqual(seen, [['t', 'x']]);
  });
  test('exec: taking too long is a failure, not being able to ask is none', async () => {
    const late = runtime(() => Promise.reject(new RuntimeError('DeadlineExceeded', 'late')));
    assert.deepEqual(await runProbe('liveness', { exec: { command: ['a', 'b'] }, timeoutSeconds: 2 }, target(late)), {
      result: 'failure',
      output: 'command timed out: "a b" timed out after 2s',
    });
    const broken = runtime(() => Promise.reject(new RuntimeError('Unknown', 'broken')));
    await assert.rejects(runProbe('liveness', { exec: {} }, target(broken)), { message: 'broken' });
  });
  test('HTTP: codes, headers, redirects, refused connections', async () => {
    await using server = await startServer();
    const ask = (path: string) =>
      runProbe(
        'liveness',
        { httpGet: { port: 'http', path, httpHeaders: [{ name: 'X-A', value: 'b' }] } },
        target(
          runtime(async () => assert.fail()),
          server.port,
        ),
      );
    assert.deepEqual(await ask('/ok'), { result: 'success', output: 'kube-probe/1.36 */* b' });
    assert.deepEqual(await ask('/500'), { result: 'failure', output: 'HTTP probe failed with statuscode: 500' });
    assert.deepEqual(await ask('/here'), { result: 'success', output: 'kube-probe/1.36 */* b' });
    assert.equal((await ask('/elsewhere')).result, 'warning');
    const closed = target(
      runtime(async () => assert.fail()),
      1,
    );
    assert.deepEqual(await runProbe('liveness', { httpGet: { port: 1, path: '/' } }, closed), {
      result: 'failure',
      output: 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
    });
    assert.deepEqual(await runProbe('liveness', { tcpSocket: { port: 1 } }, closed), {
      result: 'failure',
      output: 'dial tcp 127.0.0.1:1: connect: connection refused',
    });
    assert.deepEqual(await runProbe('liveness', { tcpSocket: { port: server.port } }, closed), { result: 'success', output: '' });
  });
  test('HTTP: an answer that takes too long', async () => {
    await using server = await startServer();
    const answer = await runProbe(
      'liveness',
      { httpGet: { port: server.port, path: '/never' }, timeoutSeconds: 0.05 },
      target(runtime(async () => assert.fail())),
    );
    assert.match(answer.output, /context deadline exceeded \(Client.Timeout exceeded while awaiting headers\)$/);
  });
  test('a port that the container does not have', async () => {
    await assert.rejects(runProbe('liveness', { httpGet: { port: 'nope' } }, target(runtime(async () => assert.fail()))), /invalid syntax/);
  });
});

async function startServer() {
  const server = createServer((request, response) => {
    const { url, headers } = request;
    if (url === '/never') return;
    if (url === '/500') response.writeHead(500);
    if (url === '/here') response.writeHead(302, { location: '/ok' });
    if (url === '/elsewhere') response.writeHead(302, { location: 'http://other.invalid/' });
    response.end(`${headers['user-agent']} ${headers.accept} ${headers['x-a']}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('planHTTPGet', () => {
  const plan = (action: Parameters<typeof planHTTPGet>[0], podIP = '10.0.0.2') =>
    planHTTPGet(action, container('main', { ports: [{ name: 'http', containerPort: 80 }] }), { podIP, purpose: 'lifecycle' });
  assert.equal(plan({ port: 'http', path: '/a?b=c', scheme: 'HTTPS' }).url.href, 'https://10.0.0.2:80/a?b=c');
  assert.equal(plan({ port: '8080', host: 'h' }).url.href, 'http://h:8080/');
  assert.equal(plan({ port: 80 }, 'fd00::2').url.href, 'http://[fd00::2]/');
  const { headers } = plan({
    port: 80,
    httpHeaders: [
      { name: 'accept', value: '' },
      { name: 'User-Agent', value: 'me' },
      { name: 'X', value: '1' },
      { name: 'x', value: '2' },
    ],
  });
  assert.deepEqual(headers, { 'User-Agent': 'me', X: ['1', '2'] });
  assert.equal(typeof httpGet, 'function');
});
