/**
 * `pods/log`, `exec`, `attach` and `portforward`: handed on to the kubelet of the pod's node. WebSocket and SPDY pass
 * through as they are: the kubelet translates what its runtime does not speak (upstream's ExtendWebSocketsToKubelet).
 * Upstream: pkg/registry/core/pod/rest.
 */
import type { ServerResponse } from 'node:http';
import { errors } from '../../../api/meta/status-error.ts';
import type { ConnectEndpoint, ConnectTarget } from '../request/api-request.ts';
import { isTrue } from '../request/query-boolean.ts';
import type { Dialer } from './dialer.ts';
import { ask, forward } from './http-forward.ts';
import { chooseContainer, type KubeletDirectory, kubeletOf, readPod } from './kubelet-address.ts';
import { sendAsMessages } from './message-stream.ts';
import { tunnel } from './upgrade-tunnel.ts';

export interface PodStreamOptions extends KubeletDirectory {
  readonly dialer: Dialer;
}

const logParameters = ['follow', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'stream'];

const streams = { container: 'text', stdin: 'flag', stdout: 'flag', stderr: 'flag', tty: 'flag' } as const;

export function podStreamEndpoints({ dialer, ...directory }: PodStreamOptions): ConnectEndpoint[] {
  const { reader } = directory;

  const log = async (connect: ConnectTarget): Promise<void> => {
    const pod = readPod(reader, connect.at);
    const container = chooseContainer(pod, connect.query.get('container'));
    checkLogOptions(connect.query);
    // Nothing has been said yet by what has no node.
    if (!pod.spec.nodeName) return noContent(connect);
    const address = await kubeletOf(directory, pod);
    const query = new URLSearchParams(logParameters.flatMap((name) => connect.query.getAll(name).map((value) => [name, value])));
    const path = `/containerLogs/${pod.metadata.namespace}/${pod.metadata.name}/${container}${query.size ? `?${query}` : ''}`;
    const skipVerify = isTrue(connect.query.get('insecureSkipTLSVerifyBackend'));
    const target = { ...address, path, method: 'GET', skipVerify, statusErrors: true };
    if (connect.upgrade) await sendAsMessages(connect, connect.upgrade, await ask(connect, dialer, target));
    else await forward(connect, dialer, target);
  };

  const shell = (verb: 'exec' | 'attach') => async (connect: ConnectTarget) => {
    const pod = readPod(reader, connect.at);
    const container = chooseContainer(pod, connect.query.get('container'));
    const { query } = connect;
    if (verb === 'exec' && !query.getAll('command').some((word) => word.length > 0))
      throw errors.badRequest('you must specify at least one command for the container');
    const wants = (name: string): boolean => isTrue(query.get(name));
    if (!wants('stdin') && !wants('stdout') && !wants('stderr'))
      throw errors.badRequest('you must specify at least one of stdin, stdout, stderr');
    const words = new URLSearchParams();
    if (wants('stdin')) words.set('input', '1');
    if (wants('stdout')) words.set('output', '1');
    if (wants('stderr') && !wants('tty')) words.set('error', '1');
    if (wants('tty')) words.set('tty', '1');
    if (verb === 'exec') for (const word of query.getAll('command')) words.append('command', word);
    const address = await kubeletOf(directory, pod);
    await tunnel(connect, dialer, { ...address, path: `/${verb}/${pod.metadata.namespace}/${pod.metadata.name}/${container}?${words}` });
  };

  const portForward = async (connect: ConnectTarget): Promise<void> => {
    const pod = readPod(reader, connect.at);
    const ports = connect.query.getAll('ports');
    const query = ports.length ? `?${new URLSearchParams(ports.map((value) => ['port', value]))}` : '';
    const path = `/portForward/${pod.metadata.namespace}/${pod.metadata.name}${query}`;
    await tunnel(connect, dialer, { ...(await kubeletOf(directory, pod)), path });
  };

  return [
    { resource: 'pods', subresource: 'log', methods: ['GET'], handle: log },
    {
      resource: 'pods',
      subresource: 'exec',
      methods: ['GET', 'POST'],
      parameters: { command: 'texts', ...streams },
      handle: shell('exec'),
    },
    { resource: 'pods', subresource: 'attach', methods: ['GET', 'POST'], parameters: streams, handle: shell('attach') },
    { resource: 'pods', subresource: 'portforward', methods: ['GET', 'POST'], parameters: { ports: 'numbers' }, handle: portForward },
  ];
}

function noContent({ response, upgrade, began }: ConnectTarget): void {
  if (upgrade) throw errors.badRequest('the pod has no node yet');
  (response as ServerResponse).writeHead(204).end();
  began(204);
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
