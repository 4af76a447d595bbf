/** One change of one object, as the watch cache tells it to watchers, with the frames that all of them share. */
import type { Revision } from '../../store/storage.ts';
import type { StoredObject } from './stored-object.ts';

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED';

export class CacheEvent {
  readonly revision: Revision;
  readonly current: StoredObject | undefined;
  readonly previous: StoredObject | undefined;
  #deleted: StoredObject | undefined;
  #frames: Map<string, Buffer> | undefined;

  constructor(revision: Revision, current: StoredObject | undefined, previous: StoredObject | undefined) {
    this.revision = revision;
    this.current = current;
    this.previous = previous;
  }

  /** What was there last, as of this revision: what a watcher sees go. */
  get deleted(): StoredObject {
    if (!this.#deleted) {
      if (!this.previous) throw new Error('a new object has no previous version');
      this.#deleted = this.previous.at(this.revision);
    }
    return this.#deleted;
  }

  /** All that watchers may look at or be shown. */
  get versions(): readonly StoredObject[] {
    const { current, previous } = this;
    return [...(current ? [current] : []), ...(previous ? [previous, this.deleted] : [])];
  }

  /** The encoded event under this name, made once. */
  frame(name: string, encode: () => Buffer): Buffer {
    let frame = this.#frames?.get(name);
    if (!frame) {
      frame = encode();
      this.#frames ??= new Map();
      this.#frames.set(name, frame);
    }
    return frame;
  }

  /** How the event looks to a watcher of those objects that `matches`; undefined when it doesn't concern it. */
  seenBy(matches: ((object: StoredObject) => boolean) | undefined): { type: WatchEventType; object: StoredObject } | undefined {
    const { current, previous } = this;
    const now = current !== undefined && (!matches || matches(current));
    const before = previous !== undefined && (!matches || matches(previous));
    if (now) return { type: before ? 'MODIFIED' : 'ADDED', object: current };
    return before ? { type: 'DELETED', object: this.deleted } : undefined;
  }
}
