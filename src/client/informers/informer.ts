/**
 * A cache of one kind (or a selection of it), kept current by list and watch.
 *
 * Guarantees: handlers see each object's changes in order, after the cache has them; a relist after a lost watch is
 * told as the differences; `synced` resolves when the first list is in the cache and its handlers have run. A handler
 * added later is told `added` for what is there.
 */
import type { KubeObject, ObjectKey } from '../../api/meta/object.ts';

export interface InformerOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface InformerHandler<T> {
  added?(object: T): void;
  updated?(object: T, old: T): void;
  deleted?(old: T): void;
}

/** An acknowledged write: what it returned, or without resourceVersion that the object is gone (or on its way). */
export interface Written {
  readonly key: ObjectKey;
  readonly uid: string;
  readonly resourceVersion?: string;
}

export interface Informer<T extends KubeObject> {
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  get(key: ObjectKey): T | undefined;
  /** All, or those of one namespace (indexed). */
  list(namespace?: string): readonly T[];
  /** Objects by the values that `keys` gives for them; the index is made on first use and kept current. */
  index(name: string, keys: (object: T) => readonly string[]): (value: string) => readonly T[];
  on(handler: InformerHandler<T>): Disposable;
  /** Whether the cache has this write, or something later. */
  shows(write: Written): boolean;
  /** Resolves when it does, and when the informer stops. */
  whenShown(write: Written): Promise<void>;
}
