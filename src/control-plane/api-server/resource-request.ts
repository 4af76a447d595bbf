/** A request for a stored resource, as the pipeline's verbs see it, and what they answer. */

import type { DeleteOptions, Status } from '../../api/generated/meta-v1.ts';
import type { Kind } from '../../api/meta/kind.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { PatchType } from '../../client/client.ts';
import type { Revision } from '../store/storage.ts';
import type { CacheEvent, WatchEventType } from './cache-event.ts';
import type { RequestVerb, UserInfo } from './request.ts';
import type { StoredObject } from './stored-object.ts';

/** The query of a request, whatever the verb. Strings are as the client sent them; what they say is checked by the verbs. */
export interface RequestOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
  readonly dryRun?: readonly string[];
  readonly fieldManager?: string;
  readonly fieldValidation?: string;
  readonly force?: boolean;
  /** of the query; the body's are joined with these */
  readonly deletion?: DeleteOptions;
}

/** The body of a request: read when the pipeline comes to it, after authorization. */
export interface RequestBody {
  /** Undefined when there is no body. */
  read(): Promise<BodyContent | undefined>;
  /** bytes that were read of it, where it comes over the wire: what is made of it costs accordingly */
  readonly size?: number;
  /** What a PATCH is, by its content type. Throws UnsupportedMediaType. */
  patchType?(): PatchType;
}

/**
 * JSON text as it came over the wire, or a value: the caller's, who keeps it, unless it is the pipeline's own.
 * `problems`: what is wrong with its text, in the words of strict field validation.
 */
export type BodyContent =
  | { readonly text: string }
  | { readonly value: unknown; readonly isOwn?: boolean; readonly problems?: readonly string[] };

/** On whose behalf something is written, and what for. */
export interface Cause {
  readonly user: UserInfo;
  readonly verb: RequestVerb;
  readonly kind: Kind;
  readonly subresource?: string;
  /** what the client calls itself; absent in process */
  readonly userAgent?: string | undefined;
  /** the client's own words, asked for only when somebody listens */
  why?(): string | undefined;
}

export interface ResourceRequest extends Cause {
  readonly namespace?: string;
  readonly name?: string;
  readonly options: RequestOptions;
  readonly body?: RequestBody;
  /** Aborts when the client is gone or the request's time is over. */
  readonly signal: AbortSignal;
  /** Adds a Warning header to the answer. */
  warn(message: string): void;
}

export type Answer =
  | { readonly type: 'object'; readonly code: number; readonly stored: StoredObject }
  /** what no cache holds: scales, reviews */
  | { readonly type: 'value'; readonly code: number; readonly object: KubeObject }
  | { readonly type: 'status'; readonly code: number; readonly status: Status }
  | ({ readonly type: 'list'; readonly code: number } & ListAnswer)
  | { readonly type: 'watch'; readonly code: number; readonly watch: WatchAnswer };

export interface ListAnswer {
  readonly items: readonly StoredObject[];
  readonly revision: Revision;
  readonly continue?: string;
  readonly remainingItemCount?: number;
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
