/** A kubelet whose runtime is not as it should be: one that hangs, one that is too old. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Node } from '../../src/api/generated/kinds.ts';
import { type CallOptions, RuntimeError } from '../../src/node/runtime/container-runtime.ts';
import { type KubeletNode, nodeName, startKubeletNode } from './kubelet-node.ts';

/** What every call of the CRI has that does not say how long. */
const timeoutMsDefault = 120_000;

async function readyOf({ client }: KubeletNode): Promise<string> {
  const { status } = await client.get(Node, { name: nodeName });
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  return `${ready?.status}: ${ready?.message}`;
}

describe('a runtime', () => {
  test('that hangs makes its node NotReady, until it answers again', async () => {
    let hangs = false;
    await using node = await startKubeletNode({
      instead: ({ clock, runtime }) => {
        const orHang = async <T>(answer: () => Promise<T>, options: CallOptions = {}): Promise<T> => {
          if (!hangs) return answer();
          await clock.sleep(options.timeoutMs ?? timeoutMsDefault);
          throw new RuntimeError('DeadlineExceeded', 'no answer');
        };
        return {
          status: (options) => orHang(() => runtime.status(), options),
          listImages: (options) => orHang(() => runtime.listImages(), options),
        };
      },
    });
    const seen: string[] = [];
    for (const [seconds, then] of [
      [20, true],
      [45, false],
      [45, false],
    ] as const) {
      await node.tick(seconds);
      seen.push(await readyOf(node));
      hangs = then;
    }
    await node.tick(300); // whatever still hangs ends
    assert.deepEqual(seen, ['True: kubelet is posting ready status', 'False: container runtime is down', seen[0]]);
  });

  for (const { version, want } of [
    { version: '1.6.20~ds1', want: 'containerd://1.6.20~ds1' },
    { version: '2.0.5', want: 'containerd://2.0.5' },
    { version: 'v2.1.0', want: undefined },
    { version: '10.0.0', want: undefined },
  ])
    test(`containerd ${version}: a pod with an image volume ${want === undefined ? 'runs' : 'says that it can’t'}`, async () => {
      await using node = await startKubeletNode({
        instead: ({ runtime }) => ({
          version: async () => ({ ...(await runtime.version()), runtimeName: 'containerd', runtimeVersion: version }),
        }),
      });
      await node.create('guest', {
        containers: [{ name: 'main', image: 'registry/main:1', volumeMounts: [{ name: 'model', mountPath: '/model' }] }],
        volumes: [{ name: 'model', image: { reference: 'registry/model:1' } }],
      });
      await node.tick(2);
      const { state } = (await node.pod('guest'))?.status.containerStatuses?.[0] ?? {};
      const why = `volume "model": image volumes are not supported by the container runtime ${want}: they need containerd 2.1`;
      if (want === undefined) assert.ok(state?.running);
      else {
        assert.deepEqual(state?.waiting, { reason: 'CreateContainerConfigError', message: why });
        assert.deepEqual((await node.events('guest'))[0], `Failed: Error: ${why}`);
      }
    });
});
