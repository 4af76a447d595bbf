/** Waits for what becomes of one object, by its watch. */
import type { KindRef, KubeObject } from '../../src/api/meta/object.ts';
import type { Client, WatchEvent } from '../../src/client/client.ts';

/** Resolves with the object when it is as wanted; what is there already counts. */
export async function whenSeen<T extends KubeObject>(
  client: Client,
  kind: KindRef<T>,
  { name, namespace }: { readonly name: string; readonly namespace?: string },
  wanted: (object: T, type: WatchEvent<T>['type']) => boolean,
): Promise<T> {
  const selection = { fieldSelector: `metadata.name=${name}`, ...(namespace !== undefined && { namespace }) };
  for await (const event of client.watch(kind, selection)) {
    if (event.type !== 'BOOKMARK' && wanted(event.object, event.type)) return event.object;
  }
  throw new Error('the watch has ended');
}

export const whenGone = <T extends KubeObject>(client: Client, kind: KindRef<T>, at: { name: string; namespace?: string }): Promise<T> =>
  whenSeen(client, kind, at, (_, type) => type === 'DELETED');
