/**
 * Deletes what is in a namespace that is being deleted, and then lets the namespace go.
 *
 * Guarantees: everything that can be listed and deleted goes, of whatever kind discovery shows; pods first, and nothing
 * else before the last of them is gone; the namespace stays, with conditions that say why, while anything is left or
 * some API does not answer.
 * Upstream: pkg/controller/namespace.
 */
import { Namespace, Pod } from '../../../api/generated/kinds.ts';
import { type KindRef, keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { isNotFound, isStatusError } from '../../../api/meta/status-error.ts';
import { type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { type DiscoveredResource, discoverResources } from '../../../client/transport/discovery.ts';
import { nextNamespaceConditions, type Remains } from './namespace-conditions.ts';

const finalizer = 'kubernetes';
/** Something with a finalizer is left: when to look again. Pods tell by themselves when they are gone. */
const lookAgainMs = 8_000;

export const namespaceController = defineController({
  name: 'namespace-controller',
  watches: [
    watched(Namespace, ({ metadata }) => (metadata.deletionTimestamp ? [metadata.name] : [])),
    watched(Pod, (pod, _old, io) => keysOfLastPod(pod, io)),
  ],
  concurrency: 10,
  reconcile,
});

/** The last pod of a namespace on its way out is gone: go on with the rest. */
function keysOfLastPod({ metadata }: Pod, io: ControllerIO): readonly ObjectKey[] {
  const { namespace } = metadata;
  const isLast = io.client.informer(Pod).list(namespace).length === 0;
  return isLast && io.client.informer(Namespace).get(namespace)?.metadata.deletionTimestamp ? [namespace] : [];
}

async function reconcile(name: ObjectKey, io: ControllerIO): Promise<Outcome> {
  const namespace = io.client.informer(Namespace).get(name);
  if (!namespace?.metadata.deletionTimestamp || !namespace.spec?.finalizers?.includes(finalizer)) return;
  const remains = await deleteContent(name, io);
  const conditions = nextNamespaceConditions(namespace.status?.conditions, remains, io.clock.now());
  let current = namespace;
  if (conditions !== namespace.status?.conditions || namespace.status.phase !== 'Terminating') {
    const status = { ...namespace.status, phase: 'Terminating' as const, conditions };
    current = await io.client.update(Namespace, { ...namespace, status }, { subresource: 'status' });
  }
  const [error] = [...remains.deletionErrors, ...remains.discoveryErrors.map((failure) => failure.error)];
  if (error) throw error;
  if (remains.resources.size > 0) return { requeueAfterMs: lookAgainMs };
  const finalizers = (current.spec?.finalizers ?? []).filter((each) => each !== finalizer);
  await io.client
    .update(Namespace, { ...current, spec: { ...current.spec, finalizers } }, { subresource: 'finalize' })
    .catch((failure: unknown) => {
      if (!isNotFound(failure)) throw failure;
    });
}

async function deleteContent(namespace: string, io: ControllerIO): Promise<Remains> {
  const { resources, failures } = await discoverResources(io.client);
  const deletable = resources.filter((each) => each.namespaced && ['list', 'delete'].every((verb) => each.verbs.includes(verb)));
  const remains = { resources: new Map<string, number>(), finalizers: new Map<string, number>(), deletionErrors: [] as unknown[] };
  const isPods = (kind: KindRef): boolean => kind.group === '' && kind.resource === 'pods';
  const remove = async (kind: DiscoveredResource): Promise<void> => {
    try {
      await deleteKind(kind, namespace, remains, io);
    } catch (error) {
      remains.deletionErrors.push(error);
    }
  };
  for (const kind of deletable.filter(isPods)) await remove(kind);
  if (remains.resources.size === 0 && remains.deletionErrors.length === 0) {
    await Promise.all(deletable.filter((kind) => !isPods(kind)).map(remove));
  }
  return { ...remains, discoveryErrors: failures };
}

async function deleteKind(
  kind: DiscoveredResource,
  namespace: string,
  remains: { readonly resources: Map<string, number>; readonly finalizers: Map<string, number> },
  io: ControllerIO,
): Promise<void> {
  const before = await listOrNone(kind, namespace, io);
  if (before.length === 0) return;
  if (kind.verbs.includes('deletecollection'))
    await io.client.deleteCollection(kind, { namespace }, { propagationPolicy: 'Background', why });
  else for (const { metadata } of before) await deleteOne(kind, namespace, metadata.name ?? '', io);
  const after = await listOrNone(kind, namespace, io);
  if (after.length === 0) return;
  remains.resources.set(`${kind.resource}.${kind.group}`, after.length);
  for (const name of after.flatMap(({ metadata }) => metadata.finalizers ?? [])) {
    remains.finalizers.set(name, (remains.finalizers.get(name) ?? 0) + 1);
  }
  const stuck = after.find(({ metadata }) => !metadata.deletionTimestamp);
  if (stuck) throw new Error(`unexpected items still remain in namespace: ${namespace} for ${kind.resource}: ${keyOf(stuck)}`);
}

/** A kind that was taken away in the meantime has nothing. */
async function listOrNone(kind: KindRef, namespace: string, io: ControllerIO) {
  try {
    return (await io.client.list(kind, { namespace })).items;
  } catch (error) {
    if (isNotFound(error) || (isStatusError(error) && error.code === 405)) return [];
    throw error;
  }
}

async function deleteOne(kind: KindRef, namespace: string, name: string, io: ControllerIO): Promise<void> {
  await io.client.delete(kind, { namespace, name }, { propagationPolicy: 'Background', why }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

const why = (): string => 'its namespace is deleted';
