/**
 * containerd's own events, as hints that something changed: they tell at once what the CRI of containerd 1.6 can't
 * tell at all. They come before the CRI plugin has acted on them, so what changed is read from the CRI afterwards.
 * Specified in containerd api/services/events/v1 and api/events.
 */
import type { ClientReadableStream, Client as GrpcClient, ServiceError } from '@grpc/grpc-js';
import { loadServices } from '../../client/transport/grpc-services.ts';
import { toRuntimeError } from './cri-codec.ts';

const eventsService = 'containerd.services.events.v1.Events';
/** What is made through CRI is in this namespace of containerd. */
const criNamespace = 'k8s.io';
const topics = ['/tasks/start', '/tasks/exit', '/containers/create', '/containers/delete'];

const field = (type: string, id: number, rule?: 'repeated'): object => ({ type, id, ...(rule && { rule }) });
const messages = {
  SubscribeRequest: { fields: { filters: field('string', 1, 'repeated') } },
  Envelope: { fields: { topic: field('string', 3), event: field('Any', 4) } },
  // google.protobuf.Any, by its field numbers
  Any: { fields: { type_url: field('string', 1), value: field('bytes', 2) } },
  Events: { methods: { Subscribe: { requestType: 'SubscribeRequest', responseType: 'Envelope', responseStream: true } } },
};
const nest = (path: readonly string[], inner: object): object =>
  path.reduceRight((nested, name) => ({ nested: { [name]: { nested } } }).nested, inner);
const descriptor = { nested: nest(['containerd', 'services', 'events', 'v1'], messages) };

interface Envelope {
  readonly topic: string;
  readonly event: { readonly value: Buffer } | null;
}
type Subscribe = (request: { readonly filters: readonly string[] }) => ClientReadableStream<Envelope>;

/**
 * The ids of containers (sandboxes are containers too) of which something changed, until the signal is aborted; first
 * an empty one when the subscription was sent. Throws
 * a `RuntimeError` when the stream breaks: Unavailable when containerd went away, Unimplemented when it is none.
 */
export async function* subscribeToContainerd(socket: string, signal: AbortSignal): AsyncGenerator<string> {
  const [{ credentials }, services] = await Promise.all([import('@grpc/grpc-js'), loadServices(descriptor, [eventsService])]);
  if (signal.aborted) return;
  const client: GrpcClient = new services[eventsService](`unix:${socket}`, credentials.createInsecure());
  const subscribe = (client as unknown as { readonly Subscribe: Subscribe }).Subscribe;
  const stream = subscribe.call(client, { filters: topics.map((topic) => `namespace==${criNamespace},topic=="${topic}"`) });
  const onAbort = (): void => stream.cancel();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    // what happened before containerd took the subscription is not told: look for it
    yield '';
    for await (const { event } of stream as AsyncIterable<Envelope>) {
      const id = changedContainer(event?.value);
      if (id !== undefined) yield id;
    }
  } catch (error) {
    if (!signal.aborted) throw toRuntimeError(error as ServiceError);
  } finally {
    signal.removeEventListener('abort', onAbort);
    stream.cancel();
    client.close();
  }
}

/**
 * All four events begin with the container's id as field 1. Only a task's exit has a string as field 2, the process
 * that ended: the container itself, or something that was executed in it, which is no change of the container.
 */
export function changedContainer(event: Buffer | undefined): string | undefined {
  if (event?.[0] !== 0x0a) return undefined;
  const idEnd = 2 + (event[1] ?? 0);
  const id = event.toString('utf8', 2, idEnd);
  if (event[idEnd] !== 0x12) return id;
  const processEnd = idEnd + 2 + (event[idEnd + 1] ?? 0);
  return event.toString('utf8', idEnd + 2, processEnd) === id ? id : undefined;
}
