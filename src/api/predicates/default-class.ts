/**
 * The class that objects get which name none: the one that is marked, of several the newest, then the first by name.
 * Upstream: pkg/volume/util/storageclass.go, plugin/pkg/admission/network/defaultingressclass.
 */
import type { StorageClass } from '../generated/kinds.ts';
import type { KubeObject } from '../meta/object.ts';
import { own } from '../meta/words.ts';

export function defaultClass<T extends KubeObject>(classes: Iterable<T>, annotations: readonly string[]): T | undefined {
  let best: T | undefined;
  for (const each of classes) {
    const isMarked = annotations.some((key) => own(each.metadata.annotations, key) === 'true');
    if (isMarked && (!best || isBefore(each, best))) best = each;
  }
  return best;
}

function isBefore({ metadata: a }: KubeObject, { metadata: b }: KubeObject): boolean {
  const [created, other] = [a.creationTimestamp ?? '', b.creationTimestamp ?? ''];
  return created === other ? (a.name ?? '') < (b.name ?? '') : created > other;
}

export const isDefaultStorageClass = 'storageclass.kubernetes.io/is-default-class';

export const defaultStorageClassOf = (classes: Iterable<StorageClass>): StorageClass | undefined =>
  defaultClass(classes, [isDefaultStorageClass, 'storageclass.beta.kubernetes.io/is-default-class']);
