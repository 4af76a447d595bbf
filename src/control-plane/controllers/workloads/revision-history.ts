/**
 * ControllerRevisions: the templates that a DaemonSet or StatefulSet has had, numbered, for `kubectl rollout history`
 * and `undo`. One per distinct template; going back to an old one renumbers it.
 * Upstream: pkg/controller/history, pkg/controller/daemon/update.go.
 */
import { ControllerRevision } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import type { KindRef, KubeObject } from '../../../api/meta/object.ts';
import { byCreation } from '../../../api/meta/order.ts';
import type { LabelMatcher } from '../../../api/meta/selectors.ts';
import { isAlreadyExists, isNotFound } from '../../../api/meta/status-error.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import type { ControllerIO } from '../../../client/controllers/controller.ts';
import { adoptAndRelease } from '../adoption.ts';
import { controlledBy, controllerReference, isControlledBy, orphansIn } from '../owner.ts';
import { canonical, hashOf } from '../template-hash.ts';

/** On pods: which revision they are of. DaemonSets put the hash there, StatefulSets the revision's name. */
export const revisionHashLabel = 'controller-revision-hash';

export interface RevisedOwner extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly name: string; readonly namespace: string };
  readonly spec: { readonly template: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } } };
  readonly status?: { readonly collisionCount?: number };
}

export interface History {
  readonly current: ControllerRevision;
  /** the others, lowest revision first */
  readonly old: readonly ControllerRevision[];
}

export interface HistoryOwner<T extends RevisedOwner> {
  readonly kind: KindRef<T>;
  readonly owner: T;
  readonly matcher: LabelMatcher;
  readonly collisionCount: number | undefined;
  /** the label of a revision that says its hash */
  readonly hashLabel: string;
}

/** What a revision holds: a patch that brings its template back. Its fields are in order: clients compare the bytes. */
export const revisionData = (owner: RevisedOwner): NonNullable<ControllerRevision['data']> =>
  parseJSON(canonical({ spec: { template: { ...owner.spec.template, $patch: 'replace' } } })) as NonNullable<ControllerRevision['data']>;

const byRevision = (a: ControllerRevision, b: ControllerRevision): number => a.revision - b.revision || byCreation(a, b);

/** The owner's revisions, with one for its template as it is now: made, or renumbered, when needed. Throws when two templates have one hash, and tells the owner's status to count it. */
export async function keepHistory<T extends RevisedOwner>(of: HistoryOwner<T>, io: ControllerIO): Promise<History> {
  const { owner, kind, matcher } = of;
  const informer = io.client.informer(ControllerRevision);
  const candidates = [...controlledBy(informer, owner), ...orphansIn(informer, owner.metadata.namespace)];
  const matches = (each: ControllerRevision): boolean => matcher.matches(each.metadata.labels);
  const claimed = await adoptAndRelease(io.client, { owner, ownerKind: kind, kind: ControllerRevision, matches }, candidates);
  const revisions = claimed.toSorted(byRevision);
  const data = revisionData(owner);
  const equal = revisions.findLast((each) => equalSemantically(each.data, data));
  const old = revisions.filter((each) => each !== equal);
  const number = (old.at(-1)?.revision ?? 0) + 1;
  if (!equal) return { current: await create(of, number, io), old };
  const current = equal.revision < number ? await io.client.update(ControllerRevision, { ...equal, revision: number }) : equal;
  return { current, old };
}

async function create<T extends RevisedOwner>(
  { owner, kind, collisionCount, hashLabel }: HistoryOwner<T>,
  revision: number,
  io: ControllerIO,
) {
  const { namespace, name: ownerName, annotations } = owner.metadata;
  const hash = hashOf(owner.spec.template, collisionCount);
  const name = `${ownerName}-${hash}`;
  const data = revisionData(owner);
  const metadata = {
    namespace,
    name,
    labels: { ...owner.spec.template.metadata?.labels, [hashLabel]: hash },
    ...(annotations && { annotations }),
    ownerReferences: [controllerReference(kind, owner)],
  };
  try {
    return await io.client.create(ControllerRevision, { metadata, data, revision });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const there = await io.client.get(ControllerRevision, { namespace, name });
    if (isControlledBy(there, owner) && equalSemantically(there.data, data)) return there;
    const status = { ...owner.status, collisionCount: (collisionCount ?? 0) + 1 };
    await io.client.update(kind, { ...owner, status }, { subresource: 'status' }); // which makes another hash
    throw new Error(`another revision has the name ${name}`, { cause: error });
  }
}

/** Old revisions beyond the limit go, unless pods of them are left. */
export async function trimHistory(
  old: readonly ControllerRevision[],
  limit: number,
  isLive: (revision: ControllerRevision) => boolean,
  io: ControllerIO,
): Promise<void> {
  const surplus = old.filter((each) => !isLive(each)).slice(0, Math.max(0, old.length - limit));
  for (const { metadata } of surplus) {
    await io.client.delete(ControllerRevision, { namespace: metadata.namespace, name: metadata.name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
