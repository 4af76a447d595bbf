/**
 * Brings a CustomResourceDefinition from its creation to its end, by its status: its names are accepted, it is served,
 * it is established; when it is deleted, its objects go first, and it goes with them. Each step is a write, so whoever
 * dies in between leaves a definition that any server goes on with.
 *
 * Guarantees: what is established is served by this server; nothing of its kind is left when a definition is gone.
 * Upstream: apiextensions-apiserver/pkg/controller/{status,establish,finalizer,nonstructuralschema,apiapproval}.
 */

import { CustomResourceDefinition } from '../../../api/generated/kinds.ts';
import {
  cleanupFinalizer,
  withAcceptedNames,
  withApproval,
  withEstablished,
  withStructure,
  withTerminating,
} from '../../../api/kinds/apiextensions/definition-status.ts';
import { caBundleProblem } from '../../../api/kinds/ca-bundle.ts';
import { listOf } from '../../../api/kinds/lists.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import { type Controller, type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { CustomResources } from './custom-resources.ts';
import type { Instances } from './instances.ts';

type Definition = CustomResourceDefinition;
type Status = Definition['status'];

/** Objects with finalizers tell by themselves when they go; looked after all the same. As upstream. */
const lookAgainMs = 5_000;
/** after which the status says that they do not go */
const patienceMs = 60_000;

export interface DefinitionParts {
  readonly reader: ObjectReader;
  readonly resources: Pick<CustomResources, 'settled' | 'overlaps'>;
  readonly instances: Instances;
}

export function definitionController(parts: DefinitionParts): Controller {
  const cleanups = new Map<string, Cleanup>();
  return defineController({
    name: 'customresourcedefinition-controller',
    watches: [watched(CustomResourceDefinition, (definition, _old, io) => concernedBy(definition, io))],
    async reconcile(name, io) {
      const definition = parts.reader.get(CustomResourceDefinition, { name });
      if (definition?.metadata.deletionTimestamp) return cleanUp(parts, cleanups, definition, io);
      cleanups.get(name)?.[Symbol.dispose]();
      cleanups.delete(name);
      if (definition) await install(parts, definition, io);
    },
  });
}

/** Whoever waits for a name hears of it when somebody gives one up. */
function concernedBy(definition: Definition, io: ControllerIO): readonly string[] {
  const waiting = io.client.informer(CustomResourceDefinition).index('waiting', (each) => (isWaiting(each) ? [each.spec.group] : []));
  return [definition.metadata.name, ...waiting(definition.spec.group).map(({ metadata }) => metadata.name)];
}

/** As they are now. Nothing is accepted of one that the informer has not shown yet. */
function othersOfGroup({ reader }: DefinitionParts, { metadata, spec }: Definition, io: ControllerIO): readonly Definition[] {
  const byGroup = io.client.informer(CustomResourceDefinition).index('group', (definition) => [definition.spec.group]);
  return byGroup(spec.group).flatMap(({ metadata: { name } }) => {
    const other = name === metadata.name ? undefined : reader.get(CustomResourceDefinition, { name });
    return other ?? [];
  });
}

const isWaiting = ({ status }: Definition): boolean =>
  listOf(status.conditions).some(({ type, status: state }) => type === 'NamesAccepted' && state === 'False');

async function install(parts: DefinitionParts, definition: Definition, io: ControllerIO): Promise<void> {
  const { name } = definition.metadata;
  const now = io.clock.now();
  let status = withAcceptedNames(definition, () => othersOfGroup(parts, definition, io), now);
  status = withStructure({ ...definition, status }, violationsOf(definition), now);
  status = withApproval({ ...definition, status }, now);
  const accepted = status === definition.status ? definition : await writeStatus(definition, status, io);
  await parts.resources.settled(name);
  const established = withEstablished(accepted, hasValidCABundle(accepted), io.clock.now());
  if (established !== accepted.status) await writeStatus(accepted, established, io);
}

/** New definitions have none: their schemas are checked when they are written. */
const violationsOf = ({ spec }: Definition): readonly string[] =>
  spec.preserveUnknownFields ? ['spec.preserveUnknownFields: Invalid value: true: must be false'] : [];

function hasValidCABundle({ spec }: Definition): boolean {
  const { caBundle } = spec.conversion?.webhook?.clientConfig ?? {};
  return !caBundle || caBundleProblem(caBundle) === undefined;
}

/** Throws Conflict for what has changed meanwhile, or accepts what another server has just accepted of another: judged again then. */
const writeStatus = (definition: Definition, status: Status, io: ControllerIO): Promise<Definition> =>
  io.client.update(CustomResourceDefinition, { ...definition, status }, { subresource: 'status' });

/** What is known of a definition whose objects are on their way out. */
interface Cleanup extends Disposable {
  readonly uid: string;
  readonly sinceMs: number;
}

async function cleanUp(
  { resources, instances }: DefinitionParts,
  cleanups: Map<string, Cleanup>,
  definition: Definition,
  io: ControllerIO,
): Promise<Outcome> {
  const { name, uid = '', finalizers = [] } = definition.metadata;
  if (!finalizers.includes(cleanupFinalizer)) return;
  const begun = await writeStatus(definition, withTerminating(definition.status, 'InstanceDeletionInProgress', io.clock.now()), io);
  if (resources.overlaps(begun)) return finish(begun, 'OverlappingBuiltInResource', io);
  if (!isConditionTrue(listOf(begun.status.conditions), 'Established')) return finish(begun, 'NeverEstablished', io);
  let cleanup = cleanups.get(name);
  if (cleanup?.uid !== uid) {
    cleanup?.[Symbol.dispose]();
    cleanup = { uid, sinceMs: io.clock.now(), ...instances.whenGone(begun, () => io.enqueue(name)) };
    cleanups.set(name, cleanup);
  }
  try {
    await instances.deleteAll(begun, io.signal);
  } catch (error) {
    const message = `could not issue all deletes: ${messageOf(error)}`;
    await writeStatus(begun, withTerminating(begun.status, 'InstanceDeletionFailed', io.clock.now(), message), io);
    throw error;
  }
  if (instances.count(begun) === 0) {
    cleanup[Symbol.dispose]();
    cleanups.delete(name);
    return finish(begun, 'InstanceDeletionCompleted', io);
  }
  if (io.clock.now() - cleanup.sinceMs >= patienceMs) {
    const message = 'could not confirm zero CustomResources remaining: context deadline exceeded';
    await writeStatus(begun, withTerminating(begun.status, 'InstanceDeletionCheck', io.clock.now(), message), io);
  }
  return { requeueAfterMs: lookAgainMs };
}

async function finish(definition: Definition, reason: Parameters<typeof withTerminating>[1], io: ControllerIO): Promise<void> {
  const { metadata } = definition;
  const finalizers = listOf(metadata.finalizers).filter((each) => each !== cleanupFinalizer);
  const status = withTerminating(definition.status, reason, io.clock.now());
  await writeStatus({ ...definition, metadata: { ...metadata, finalizers } }, status, io);
}
