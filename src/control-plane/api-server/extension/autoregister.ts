/**
 * APIServices for what this server serves itself: one without a Service for each of its group-versions, so that clients
 * read who answers for what in one place. Those of built-in kinds are made at the start: who deletes or changes one has
 * his way until the next. Those of custom resources are kept as their definitions are, and go with them. One that
 * somebody else has made or made his own (without the label) is left alone.
 * Upstream: kube-aggregator/pkg/controllers/autoregister, pkg/controlplane/controller/crdregistration.
 */
import { APIService, CustomResourceDefinition } from '../../../api/generated/kinds.ts';
import { builtInPriority, customPriority, type Priority } from '../../../api/kinds/group-priorities.ts';
import type { KindSnapshot } from '../../../api/kinds/kind-snapshot.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { isCustom } from '../../../api/meta/kind.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../../api/meta/status-error.ts';
import { own } from '../../../api/meta/words.ts';
import { type Controller, type ControllerIO, defineController, watched } from '../../../client/controllers/controller.ts';
import type { ObjectReader } from '../cache/reader.ts';

const managedLabel = 'kube-aggregator.kubernetes.io/automanaged';
/** The start makes 21, and the store joins their commits. */
const concurrency = 32;

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}
type Spec = APIService['spec'];

/** An APIService as it is to be. */
export interface Wanted {
  readonly spec: Spec;
  /** how long: from the start until somebody says otherwise, or always */
  readonly managed: 'onstart' | 'true';
}

const nameOf = ({ group, version }: GroupVersion): string => `${version}.${group}`;

const specOf = ({ group, version }: GroupVersion, { group: groupPriorityMinimum, version: versionPriority }: Priority): Spec => ({
  group,
  version,
  groupPriorityMinimum,
  versionPriority,
});

/** For the built-in kinds of a snapshot, by name. */
export function builtInAPIServices(served: KindSnapshot): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const kind of served.list()) {
    const priority = isCustom(kind) ? undefined : builtInPriority(kind);
    if (priority) wanted.set(nameOf(kind), { spec: specOf(kind, priority), managed: 'onstart' });
  }
  return wanted;
}

const namesOf = ({ spec: { group, versions } }: CustomResourceDefinition): readonly string[] =>
  versions.map(({ name }) => nameOf({ group, version: name }));

export type Step = { readonly do: 'nothing' | 'create' | 'delete' } | { readonly do: 'update'; readonly spec: Spec };

const nothing: Step = { do: 'nothing' };

/** What has to be done about one. `isSynced`: it was as wanted once since the start. */
export function planAPIService(
  current: Pick<APIService, 'metadata' | 'spec'> | undefined,
  wanted: Wanted | undefined,
  { isSynced, wasThereAtStart }: { readonly isSynced: boolean; readonly wasThereAtStart: boolean },
): Step {
  if (wanted?.managed === 'onstart' && isSynced) return nothing;
  if (!current) return wanted ? { do: 'create' } : nothing;
  const managed = own(current.metadata.labels, managedLabel);
  if (managed !== 'onstart' && managed !== 'true') return nothing;
  if (managed === 'onstart' && (!wasThereAtStart || isSynced)) return nothing;
  if (!wanted) return { do: 'delete' };
  return equalSemantically(current.spec, wanted.spec) ? nothing : { do: 'update', spec: wanted.spec };
}

export function autoregister({ reader, builtIn }: { reader: ObjectReader; builtIn: ReadonlyMap<string, Wanted> }): Controller {
  const synced = new Set<string>();
  const atStart = new Set<string>();
  return defineController({
    name: 'autoregister',
    watches: [
      watched(APIService, ({ metadata }) => [metadata.name]),
      watched(CustomResourceDefinition, (definition, old) =>
        old && old.metadata.generation === definition.metadata.generation ? [] : [...namesOf(definition), ...(old ? namesOf(old) : [])],
      ),
    ],
    concurrency,
    start(io) {
      io.client.informer(CustomResourceDefinition).index('groupVersion', servedNames);
      for (const { metadata } of reader.list(APIService)) atStart.add(metadata.name);
      for (const name of builtIn.keys()) io.enqueue(name);
    },
    async reconcile(name, io) {
      const wanted = builtIn.get(name) ?? wantedByDefinitions(name, io);
      const current = reader.get(APIService, { name });
      await apply(name, planAPIService(current, wanted, { isSynced: synced.has(name), wasThereAtStart: atStart.has(name) }), {
        current,
        wanted,
        io,
      });
      if (current || wanted || atStart.has(name)) synced.add(name);
      else synced.delete(name);
    },
  });
}

const servedNames = ({ spec: { group, versions } }: CustomResourceDefinition): readonly string[] =>
  versions.filter(({ served }) => served).map(({ name }) => nameOf({ group, version: name }));

function wantedByDefinitions(name: string, io: ControllerIO): Wanted | undefined {
  const [definition] = io.client.informer(CustomResourceDefinition).index('groupVersion', servedNames)(name);
  if (!definition) return undefined;
  const { group } = definition.spec;
  return { spec: specOf({ group, version: name.slice(0, -group.length - 1) }, customPriority), managed: 'true' };
}

async function apply(
  name: string,
  step: Step,
  { current, wanted, io }: { readonly current: APIService | undefined; readonly wanted: Wanted | undefined; readonly io: ControllerIO },
): Promise<void> {
  try {
    if (step.do === 'create' && wanted)
      await io.client.create(APIService, { metadata: { name, labels: { [managedLabel]: wanted.managed } }, spec: wanted.spec });
    else if (step.do === 'update' && current) await io.client.update(APIService, { ...current, spec: step.spec });
    else if (step.do === 'delete' && current)
      await io.client.delete(APIService, { name }, { preconditions: { uid: current.metadata.uid ?? '' } });
  } catch (error) {
    if (!isAlreadyExists(error) && !isConflict(error) && !isNotFound(error)) throw error; // it comes again by itself
  }
}
