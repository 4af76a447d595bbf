/** The node's own HTTPS server: its end. What it answers is tested with the kubelet. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { it } from 'node:test';
import type { Client } from '../../../client/client.ts';
import { silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { FileGate } from '../../files/file-gate.ts';
import type { ContainerRuntime } from '../../runtime/container-runtime.ts';
import { KubeletServer } from './kubelet-server.ts';

it('ends connections that never came to speak', async () => {
  const clock = new VirtualClock();
  const server = new KubeletServer({
    serving: { host: '127.0.0.1', port: 0, cert: '', key: '', clientCA: '' },
    client: {} as Client,
    runtime: {} as ContainerRuntime,
    clock,
    gate: new FileGate({ clock }),
    log: silentLog,
    nodeName: 'a',
    dataDir: '/nonexistent',
    version: 'v1.36.3',
    kubelet: {
      pods: () => [],
      terminations: () => [],
      probeAnswers: () => [],
      volumeDirectories: () => new Map(),
      settings: () => ({ configuration: {}, flags: {} }),
    },
  });
  const socket = connect({ host: '127.0.0.1', port: await server.listen() });
  await once(socket, 'connect');
  const stopping = server[Symbol.asyncDispose]();
  await once(socket.resume(), 'close');
  await stopping;
});
