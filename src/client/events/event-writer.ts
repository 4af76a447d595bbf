/**
 * The `EventRecorder` that writes core/v1 Events. Recording only queues (bounded; what does not fit is logged and
 * dropped); one event after the other is written, counts as merge patches. What two writers tell of one object in the same
 * millisecond has different names. Upstream: client-go/tools/record/event.go.
 */
import { hash } from 'node:crypto';
import { Event } from '../../api/generated/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { isNotFound, isStatusError } from '../../api/meta/status-error.ts';
import type { Client } from '../client.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { draftEvent, EventCorrelator, type EventDraft } from './event-correlator.ts';
import type { EventRecorder } from './event-recorder.ts';

const queueMax = 1000;
/** An Event is read by people, and written again when it is repeated. */
const messageLengthMax = 4096;

const cut = (text: string): string => (text.length > messageLengthMax ? `${text.slice(0, messageLengthMax)}…` : text);
const triesMax = 12;
const retryMs = 10_000;

export interface EventWriterOptions {
  /** who reports: `deployment-controller`, `kubelet` */
  readonly component: string;
  /** the node it runs on */
  readonly host?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export function createEventWriter(client: Pick<Client, 'create' | 'patch'>, options: EventWriterOptions): EventRecorder & AsyncDisposable {
  return new EventWriter(client, options);
}

class EventWriter implements EventRecorder, AsyncDisposable {
  readonly #client: Pick<Client, 'create' | 'patch'>;
  readonly #options: EventWriterOptions;
  readonly #correlator: EventCorrelator;
  readonly #queue: { readonly event: EventDraft; readonly counts: boolean }[] = [];
  readonly #stop = new AbortController();
  #writing: Promise<void> | undefined;
  #sequence: number;

  constructor(client: Pick<Client, 'create' | 'patch'>, options: EventWriterOptions) {
    this.#client = client;
    this.#options = options;
    this.#correlator = new EventCorrelator(options.clock);
    this.#sequence = Number.parseInt(hash('sha256', `${options.component}/${options.host ?? ''}`).slice(0, 8), 16);
  }

  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string): void {
    if (this.#stop.signal.aborted) return;
    const { component, host, clock, log } = this.#options;
    const source = { component, ...(host && { host }) };
    const at = { nowMs: clock.now(), sequence: this.#sequence++ };
    const correlated = this.#correlator.correlate(
      draftEvent(referenceTo(about, fieldPath), { type, reason, message: cut(message), source }, at),
    );
    if (correlated.do === 'drop') return;
    if (this.#queue.length >= queueMax) {
      log.warn({ reason, message }, 'too many queued events: one is dropped');
      return;
    }
    this.#queue.push({ event: correlated.event, counts: correlated.do === 'count' });
    this.#writing ??= this.#writeAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#queue.shift(); next && !this.#stop.signal.aborted; next = this.#queue.shift()) {
      await this.#write(next.event, next.counts);
    }
    this.#writing = undefined;
  }

  async #write(event: EventDraft, counts: boolean): Promise<void> {
    const { clock, log } = this.#options;
    const signal = this.#stop.signal;
    for (let tries = 1; !signal.aborted; tries++) {
      try {
        return counts ? await this.#count(event) : await this.#create(event);
      } catch (error) {
        // A Status is the server's last word; anything else is a connection that may come back.
        if (isStatusError(error) || tries >= triesMax) {
          if (!signal.aborted) log.debug({ error, reason: event.reason, message: event.message }, 'event not written');
          return;
        }
        await clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
  }

  async #create(event: EventDraft): Promise<void> {
    await this.#client.create(Event, event, { signal: this.#stop.signal });
  }

  async #count(event: EventDraft): Promise<void> {
    const { count, message, lastTimestamp } = event;
    try {
      await this.#client.patch(
        Event,
        event.metadata,
        { type: 'merge', body: { count, message, lastTimestamp } },
        { signal: this.#stop.signal },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await this.#create(event);
    }
  }
}

function referenceTo(about: KubeObject, fieldPath?: string): Event['involvedObject'] {
  const { namespace, name, uid, resourceVersion } = about.metadata;
  return {
    kind: about.kind,
    ...(namespace && { namespace }),
    ...(name && { name }),
    ...(uid && { uid }),
    apiVersion: about.apiVersion,
    ...(resourceVersion && { resourceVersion }),
    ...(fieldPath && { fieldPath }),
  };
}
