/**
 * Owner references: who controls an object, which objects an owner controls (indexed by its uid), and which keys a
 * change of a dependent concerns. Upstream: apimachinery/pkg/apis/meta/v1/controller_ref.go, pkg/controller/controller_utils.go.
 */

import type { LabelSelector, OwnerReference } from '../../api/generated/meta-v1.ts';
import { apiVersionOf, type KindRef, type KubeObject, keyOf, type ObjectKey } from '../../api/meta/object.ts';
import { LabelMatcher, labelMatcher } from '../../api/meta/selectors.ts';
import { own } from '../../api/meta/words.ts';
import type { ControllerIO, Watched } from '../../client/controllers/controller.ts';
import type { Informer } from '../../client/informers/informer.ts';

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller);
}

export const isControlledBy = (object: KubeObject, owner: KubeObject): boolean => controllerOf(object)?.uid === owner.metadata.uid;

/** The reference that a dependent gets to its controller. */
export function controllerReference(kind: KindRef, owner: KubeObject): OwnerReference {
  const { name = '', uid = '' } = owner.metadata;
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

const controllerIndex = 'controller-uid';
const orphansOf = (namespace: string): string => `orphans/${namespace}`;
const controllerValues = (object: KubeObject): readonly string[] => [
  controllerOf(object)?.uid ?? orphansOf(object.metadata.namespace ?? ''),
];

/** The objects that this owner controls. */
export function controlledBy<T extends KubeObject>(informer: Informer<T>, owner: KubeObject): readonly T[] {
  return informer.index(controllerIndex, controllerValues)(owner.metadata.uid ?? '');
}

/** The objects of the namespace that nobody controls. */
export function orphansIn<T extends KubeObject>(informer: Informer<T>, namespace: string): readonly T[] {
  return informer.index(controllerIndex, controllerValues)(orphansOf(namespace));
}

const matchers = new WeakMap<LabelSelector, LabelMatcher>();

/** The matcher of a selector object, parsed once. A selector that can't be parsed matches nothing. */
export function matcherOf(selector: LabelSelector | undefined): LabelMatcher {
  if (!selector) return LabelMatcher.nothing;
  let matcher = matchers.get(selector);
  if (!matcher) {
    try {
      matcher = labelMatcher(selector);
    } catch {
      matcher = LabelMatcher.nothing;
    }
    matchers.set(selector, matcher);
  }
  return matcher;
}

export const sameLabels = (a: KubeObject, b: KubeObject): boolean => {
  const before = a.metadata.labels ?? {};
  const after = b.metadata.labels ?? {};
  const keys = Object.keys(before);
  return keys.length === Object.keys(after).length && keys.every((key) => own(before, key) === own(after, key));
};

/**
 * Keys of the owners that a change of a dependent concerns: its controller and its former one. For an orphan that is
 * new or was relabelled, all owners in its namespace whose selector takes it: one of them may adopt it.
 */
export function keysOfOwners<O extends KubeObject>(
  kind: KindRef<O>,
  matcher: (owner: O) => LabelMatcher,
): NonNullable<Watched<KubeObject>['keys']> {
  const keyIn = (object: KubeObject): ObjectKey | undefined => {
    const reference = controllerOf(object);
    if (reference?.kind !== kind.kind || !reference.apiVersion.startsWith(kind.group)) return undefined;
    return `${object.metadata.namespace ?? ''}/${reference.name}`;
  };
  return (object: KubeObject, old: KubeObject | undefined, io: ControllerIO) => {
    const keys = [keyIn(object), old && keyIn(old)].filter((key) => key !== undefined);
    const isOrphan = !controllerOf(object) && !object.metadata.deletionTimestamp;
    const changed = !old || controllerOf(old) !== undefined || !sameLabels(old, object);
    if (!isOrphan || !changed) return keys;
    const owners = io.client.informer(kind).list(object.metadata.namespace);
    return keys.concat(owners.filter((owner) => matcher(owner).matches(object.metadata.labels)).map(keyOf));
  };
}
