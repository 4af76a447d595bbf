import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { container, testPod } from '../../../../test/kit/test-pods.ts';
import type { LifecycleHandler } from '../../../api/generated/core-v1.ts';
import { realClock } from '../../../client/clock.ts';
import type { ContainerRuntime } from '../../runtime/container-runtime.ts';
import { runHook } from './lifecycle-hook.ts';

describe('runHook', () => {
  const asked: string[] = [];
  const told: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers['user-agent']} ${request.headers.authorization ?? ''}`);
    response.writeHead(500).end();
  });
  let port = 0;
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => new Promise((resolve) => server.close(resolve)));

  const run = (
    handler: LifecycleHandler,
    execSync: ContainerRuntime['execSync'] = async () => assert.fail(),
    podIP: string | undefined = '127.0.0.1',
  ) =>
    runHook(handler, {
      runtime: { execSync } as unknown as ContainerRuntime,
      clock: realClock,
      events: { event: (_about, _type, reason, message) => told.push(`${reason}: ${message}`) },
      pod: testPod(),
      container: container('main', { ports: [{ name: 'http', containerPort: port }] }),
      containerID: 'c',
      podIP,
      signal: new AbortController().signal,
    });

  test('a command', async () => {
    const answer = (exitCode: number) => async () => ({ exitCode, stdout: Buffer.from('said'), stderr: Buffer.alloc(0) });
    await run({ exec: { command: ['true'] } }, answer(0));
    await assert.rejects(run({ exec: { command: ['a', 'b'] } }, answer(3)), {
      message: `Exec lifecycle hook ([a b]) for Container "main" in Pod "web_default(uid-1)" failed - error: command 'a b' exited with 3: said, message: "said"`,
    });
  });
  test('a GET: any answer will do', async () => {
    asked.length = 0;
    await run({ httpGet: { port: 'http', path: '/x' } });
    assert.deepEqual(asked, ['/x kube-lifecycle/1.36 ']);
    await assert.rejects(
      run({ httpGet: { port: 1, path: '/x' } }),
      /^Error: HTTP lifecycle hook \(\/x\) for Container "main" .* connection refused$/,
    );
    await assert.rejects(run({ httpGet: { port: 'http' } }, undefined, ''), /failed/);
  });
  test('what speaks plain HTTP where HTTPS was asked for is asked again so, without credentials', async () => {
    asked.length = 0;
    const httpHeaders = [{ name: 'Authorization', value: 'secret' }];
    await run({ httpGet: { port: 'http', path: '/y', scheme: 'HTTPS', httpHeaders } });
    assert.deepEqual(asked, ['/y kube-lifecycle/1.36 ']);
    assert.deepEqual(told, [
      `LifecycleHTTPFallback: request to HTTPS lifecycle hook 127.0.0.1:${port} got HTTP response, retry with HTTP succeeded`,
    ]);
  });
  test('nothing that is known', () => assert.rejects(run({}), /^Error: Cannot run handler: invalid handler/));
});
