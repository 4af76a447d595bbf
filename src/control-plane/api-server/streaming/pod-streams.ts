/**
 * `pods/log`, `exec`, `attach` and `portforward`: handed on to the kubelet of the pod's node. WebSocket and SPDY pass
 * through as they are: the kubelet translates what its runtime does not speak (upstream's ExtendWebSocketsToKubelet).
 * Upstream: pkg/registry/core/pod/rest.
 */

import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { errors } from '../../../api/meta/status-error.ts';
import type { ConnectEndpoint, ConnectRequest } from '../endpoint.ts';
import { ask, forward, type KubeletCredentials, kubeletAgent } from './http-forward.ts';
import { chooseContainer, type KubeletAddress, type KubeletDirectory, kubeletOf, readPod } from './kubelet-address.ts';
import { sendAsMessages } from './message-stream.ts';
import { tunnel } from './upgrade-tunnel.ts';

export interface PodStreamOptions extends KubeletDirectory {
  readonly kubelet: KubeletCredentials;
}

const dialTimeoutMs = 10_000;
const logParameters = [
  'follow',
  'previous',
  'timestamps',
  'sinceSeconds',
  'sinceTime',
  'tailLines',
  'limitBytes',
  'insecureSkipTLSVerifyBackend',
  'stream',
];

export function podStreamEndpoints({ kubelet, ...directory }: PodStreamOptions): ConnectEndpoint[] {
  const { reader } = directory;
  const agent = kubeletAgent(kubelet);

  const log = async (connect: ConnectRequest): Promise<void> => {
    const pod = readPod(reader, connect.at);
    const container = chooseContainer(pod, connect.query.get('container'));
    checkLogOptions(connect.query);
    const address = await kubeletOf(directory, pod);
    const query = new URLSearchParams(logParameters.flatMap((name) => connect.query.getAll(name).map((value) => [name, value])));
    const path = `/containerLogs/${pod.metadata.namespace}/${pod.metadata.name}/${container}${query.size ? `?${query}` : ''}`;
    const { host, port } = address;
    const target = { protocol: 'https', host, port, path, method: 'GET', tls: agent, statusErrors: true } as const;
    if (connect.upgrade) await sendAsMessages(connect, connect.upgrade, await ask(connect, target));
    else await forward(connect, target);
  };

  const shell = (verb: 'exec' | 'attach') => async (connect: ConnectRequest) => {
    const pod = readPod(reader, connect.at);
    const container = chooseContainer(pod, connect.query.get('container'));
    const { query } = connect;
    if (verb === 'exec' && !query.getAll('command').some((word) => word.length > 0))
      throw errors.badRequest('you must specify at least one command for the container');
    const isTrue = (name: string): boolean => /^(true|1)$/.test(query.get(name) ?? '');
    if (!isTrue('stdin') && !isTrue('stdout') && !isTrue('stderr'))
      throw errors.badRequest('you must specify at least one of stdin, stdout, stderr');
    const words = new URLSearchParams();
    if (isTrue('stdin')) words.set('input', '1');
    if (isTrue('stdout')) words.set('output', '1');
    if (isTrue('stderr') && !isTrue('tty')) words.set('error', '1');
    if (isTrue('tty')) words.set('tty', '1');
    if (verb === 'exec') for (const word of query.getAll('command')) words.append('command', word);
    const address = await kubeletOf(directory, pod);
    await tunnelTo(connect, address, `/${verb}/${pod.metadata.namespace}/${pod.metadata.name}/${container}?${words}`);
  };

  const portForward = async (connect: ConnectRequest): Promise<void> => {
    const pod = readPod(reader, connect.at);
    const ports = connect.query.getAll('ports');
    const query = ports.length ? `?${new URLSearchParams(ports.map((value) => ['port', value]))}` : '';
    await tunnelTo(connect, await kubeletOf(directory, pod), `/portForward/${pod.metadata.namespace}/${pod.metadata.name}${query}`);
  };

  const tunnelTo = (connect: ConnectRequest, address: KubeletAddress, path: string): Promise<void> =>
    tunnel(connect, { host: `${address.host}:${address.port}`, path, connect: (signal) => dial(address, kubelet, signal) });

  return [
    { resource: 'pods', subresource: 'log', methods: ['GET'], handle: log },
    { resource: 'pods', subresource: 'exec', methods: ['GET', 'POST'], handle: shell('exec') },
    { resource: 'pods', subresource: 'attach', methods: ['GET', 'POST'], handle: shell('attach') },
    { resource: 'pods', subresource: 'portforward', methods: ['GET', 'POST'], handle: portForward },
  ];
}

function checkLogOptions(query: URLSearchParams): void {
  const whole = (name: string, min: number): void => {
    const text = query.get(name);
    if (text !== null && !(Number.isInteger(Number(text)) && Number(text) >= min)) {
      throw errors.invalid({ group: '', kind: 'PodLogOptions' }, '', [
        { type: 'FieldValueInvalid', field: name, badValue: Number(text), detail: `must be greater than or equal to ${min}` },
      ]);
    }
  };
  whole('tailLines', 0);
  whole('sinceSeconds', 1);
  whole('limitBytes', 1);
  if (query.has('sinceSeconds') && query.has('sinceTime')) {
    throw errors.invalid({ group: '', kind: 'PodLogOptions' }, '', [
      { type: 'FieldValueForbidden', field: '', detail: 'at most one of `sinceTime` or `sinceSeconds` may be specified' },
    ]);
  }
}

function dial(address: KubeletAddress, credentials: KubeletCredentials, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      host: address.host,
      port: address.port,
      ...credentials,
      checkServerIdentity: () => undefined,
      ALPNProtocols: ['http/1.1'],
    });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(new Error('the client went away'));
    socket.setTimeout(dialTimeoutMs, () => fail(new Error(`dial tcp ${address.host}:${address.port}: i/o timeout`)));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', fail);
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}
