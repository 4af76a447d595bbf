/**
 * What a controller is: a name, the kinds it watches, and one level-triggered `reconcile(key)`. The runner
 * (controller-runner.ts) alone owns queues, back-off, metrics, log context and panics.
 */
import type { KindRef, KubeObject, ObjectKey } from '../../api/meta/object.ts';
import type { Client } from '../client.ts';
import type { Clock, Random } from '../clock.ts';
import type { EventRecorder } from '../events/event-recorder.ts';
import type { InformerOptions } from '../informers/informer.ts';
import type { Log } from '../log.ts';

/** What a reconcile may touch. */
export interface ControllerIO {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventRecorder;
  readonly log: Log;
  /** aborted when the controller stops */
  readonly signal: AbortSignal;
  /** Queues a key, for what the controller learns in other ways than by its watches. */
  enqueue(key: ObjectKey, afterMs?: number): void;
}

/** A watched kind, and which keys of the controller a change of it concerns. */
export interface Watched<T extends KubeObject = KubeObject> {
  readonly kind: KindRef<T>;
  readonly options?: InformerOptions | undefined;
  /** Default: the object's own key. `old` is there for updates. */
  readonly keys?: ((object: T, old: T | undefined, io: ControllerIO) => readonly ObjectKey[]) | undefined;
  /** How long further changes are gathered before the keys are reconciled; default: not at all. */
  gatherMs?(object: T, old: T | undefined): number;
}

/** Done (undefined, or after no time), or again after a while. A thrown error means again with back-off; `TerminalError` means drop. */
// biome-ignore lint/suspicious/noConfusingVoidType: a reconcile that just returns is done
export type Outcome = void | { readonly requeueAfterMs: number };

export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

export interface Controller {
  /** in logs, metrics, and as the source of its events */
  readonly name: string;
  /** whose rights it acts with: the service account of this name in kube-system; default: `name` */
  readonly serviceAccount?: string | undefined;
  /** the user whose rights it acts with instead */
  readonly user?: string | undefined;
  /** The first is the primary kind. All are synced before the first reconcile. */
  // biome-ignore lint/suspicious/noExplicitAny: each entry has a T of its own
  readonly watches: readonly Watched<any>[];
  /** how many keys at once; default 1 */
  readonly concurrency?: number | undefined;
  /** Called once before the first reconcile, for indexes and timers of the controller's own. */
  start?(io: ControllerIO): void | Promise<void>;
  /** The caches already show what earlier reconciles of this key wrote to the kinds watched without a selection. */
  reconcile(key: ObjectKey, io: ControllerIO): Promise<Outcome>;
}

export const defineController = (controller: Controller): Controller => controller;
export const watched = <T extends KubeObject>(kind: KindRef<T>, keys?: Watched<T>['keys'], options?: InformerOptions): Watched<T> => ({
  kind,
  keys,
  options,
});
