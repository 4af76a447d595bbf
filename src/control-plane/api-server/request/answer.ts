/** What a target answers. Transports turn it into bytes, or hand it to the caller in the process. */
import type { Status } from '../../../api/generated/meta-v1.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { Revision } from '../../store/storage.ts';
import type { CacheEvent, WatchEventType } from '../cache/cache-event.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { NonResourceResponse } from './non-resource-endpoint.ts';

export type Answer =
  | { readonly type: 'object'; readonly code: number; readonly stored: StoredObject }
  /** what no cache holds: scales, reviews */
  | { readonly type: 'value'; readonly code: number; readonly object: KubeObject }
  | { readonly type: 'status'; readonly code: number; readonly status: Status }
  | ({ readonly type: 'list'; readonly code: number } & ListAnswer)
  | { readonly type: 'watch'; readonly code: number; readonly watch: WatchAnswer }
  /** of a path */
  | { readonly type: 'page'; readonly code: number; readonly page: NonResourceResponse }
  /** a connection that is allowed, and begins when it is run; it answers by itself */
  | { readonly type: 'connection'; readonly code: number; run(): Promise<void> };

/** What the verbs of a kind answer. */
export type ResourceAnswer = Exclude<Answer, { readonly type: 'page' | 'connection' }>;

export interface ListAnswer {
  readonly items: readonly StoredObject[];
  readonly revision: Revision;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

/** A watch that has been accepted; it starts when a sink takes it. */
export interface WatchAnswer {
  start(sink: WatchSink): void;
  /** Ends it from the client's side. */
  stop(): void;
}

export interface WatchSink {
  /** `event` is there for live events: its frames are shared by all watchers. */
  event(type: WatchEventType, object: StoredObject, event: CacheEvent | undefined): void;
  bookmark(revision: Revision, isInitialEnd: boolean): void;
  /** The client has left too much untaken: no more until this resolves, which it also does when nobody takes it any more. */
  readonly full: Promise<void> | undefined;
  /** No event follows. `status` says why, when it is an error. */
  end(status?: Status): void;
}
