/** What the load generator is told to do, and what it answers. Times are milliseconds of its own monotonic clock. */
import type { Access, LoadRequest } from './connections.ts';
import type { LoadPlace, Workload } from './objects.ts';

export type Job =
  | { readonly type: 'connect'; readonly access: Access; readonly http: 1 | 2; readonly connections: number }
  | { readonly type: 'disconnect' }
  | {
      readonly type: 'load';
      readonly workload: Workload;
      readonly place: LoadPlace;
      readonly first: number;
      readonly count: number;
      readonly atOnce: number;
    }
  | { readonly type: 'request'; readonly request: LoadRequest }
  /** one after another */
  | { readonly type: 'repeat'; readonly request: LoadRequest; readonly times: number }
  /** gets, one after another, until `end-probe`; a lap tells the longest of them since the last lap */
  | { readonly type: 'probe'; readonly request: LoadRequest }
  | { readonly type: 'probe-lap' }
  | { readonly type: 'end-probe' }
  /** as many watches of this path, until `end-watches` */
  | {
      readonly type: 'watch';
      readonly name: string;
      readonly path: string;
      readonly watchers: number;
      readonly eventType?: string | undefined;
    }
  /** until every one of them has seen as many events */
  | { readonly type: 'await-events'; readonly name: string; readonly events: number; readonly timeoutMs: number }
  | { readonly type: 'end-watches'; readonly name: string };

export interface LoadResult {
  readonly startMs: number;
  readonly endMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
  readonly firstFailure?: string | undefined;
}

export interface RequestResult {
  readonly startMs: number;
  readonly endMs: number;
  readonly status: number;
  readonly text: string;
}

export interface RepeatResult {
  readonly timesMs: readonly number[];
  readonly bytes: number;
}

export interface EventsResult {
  /** when the last watcher had its last event */
  readonly atMs: number;
  readonly bytes: number;
}

export interface JobResults {
  readonly connect: undefined;
  readonly disconnect: undefined;
  readonly load: LoadResult;
  readonly request: RequestResult;
  readonly repeat: RepeatResult;
  readonly probe: undefined;
  readonly 'probe-lap': { readonly longestMs: number };
  readonly 'end-probe': undefined;
  readonly watch: undefined;
  readonly 'await-events': EventsResult;
  readonly 'end-watches': undefined;
}

export interface JobMessage {
  readonly id: number;
  readonly job: Job;
}
export type JobAnswer = { readonly id: number; readonly result?: unknown; readonly error?: string };
