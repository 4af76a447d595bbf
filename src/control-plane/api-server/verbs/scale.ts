/**
 * The `scale` subresource: a view of replicas and selector that is the same for every kind that has it.
 * Upstream: pkg/registry/apps/<resource>/storage (ScaleREST), pkg/apis/autoscaling/validation.
 */
import { compareOwnable, type ObjectChange, type TypeVersions } from '../../../api/apply/change-managers.ts';
import { isSame } from '../../../api/apply/compare.ts';
import { noFields } from '../../../api/apply/field-set.ts';
import type { ManagerName, Managers, Operation } from '../../../api/apply/managers.ts';
import { fieldElement } from '../../../api/apply/path-element.ts';
import { managersOfScale, managersOfScaled, type Scaled, scaleVersion } from '../../../api/apply/scale-managers.ts';
import type { Json } from '../../../api/apply/structure.ts';
import type { Scale } from '../../../api/generated/autoscaling-v1.ts';
import type { LabelSelector } from '../../../api/generated/meta-v1.ts';
import { scaleOnly } from '../../../api/kinds/update-strategy.ts';
import type { Kind, ScaleView } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { type LabelMap, labelMatcher, labelMatcherOfMap } from '../../../api/meta/selectors.ts';
import { errors, fieldErrors } from '../../../api/meta/status-error.ts';
import { takeSteps } from '../../../api/meta/steps.ts';
import { bodyTypeOf } from '../../../api/schema/body.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { refuse } from '../request/refusals.ts';
import { checkName } from '../write/check-name.ts';
import { scaleType } from '../write/decode.ts';
import { managersOf, renderPart } from '../write/managed-entries.ts';
import { afterChange, typeOf, typeVersions, writerOf } from '../write/own.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { type ObjectUpdate, updateObject } from './update-object.ts';

interface Scalable extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly selector?: LabelSelector | LabelMap };
  readonly status?: { readonly replicas?: number };
}

/** As workloads have it. */
const scaleOfWorkloads: ScaleView<Scalable> = {
  replicasPath: ['spec', 'replicas'],
  replicas: ({ spec }) => spec?.replicas,
  readyReplicas: ({ status }) => status?.replicas ?? 0,
  selector: ({ kind, spec }) => describeSelector(kind, spec?.selector),
  withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec, replicas } }),
};

const viewOf = ({ scale }: Kind): ScaleView => scale ?? (scaleOfWorkloads as ScaleView);

function scaleOf(kind: Kind, object: KubeObject): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const view = viewOf(kind);
  const replicas = view.replicas(object);
  const selector = view.selector(object);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...(name && { name }),
      ...(namespace && { namespace }),
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
      ...(creationTimestamp && { creationTimestamp }),
    },
    spec: replicas ? { replicas } : {},
    status: { replicas: view.readyReplicas(object), ...(selector && { selector }) },
  };
}

const scaleObject = (kind: Kind, object: KubeObject): KubeObject => scaleOf(kind, object) as KubeObject;

function describeSelector(kind: string, selector: LabelSelector | LabelMap | undefined): string {
  const isMap = kind === 'ReplicationController';
  return (isMap ? labelMatcherOfMap(selector as LabelMap | undefined) : labelMatcher(selector as LabelSelector | undefined)).toString();
}

export async function getScale(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const { kind, namespace, name = '' } = request.target;
  if (!kind.subresources['scale']) throw errors.pathNotFound();
  const served = server.kinds.of(kind);
  const stored = served.find(namespace, name);
  if (!stored) throw errors.notFound(kind, name);
  return { type: 'value', code: 200, object: scaleObject(kind, served.asServed(stored).object) };
}

export const checkScaleName = (scale: Scale, request: ResourceRequest): void =>
  checkName({ ...scale, metadata: scale.metadata ?? {} }, request);

export interface WantedScale {
  readonly scale: Scale;
  /** who owns its fields, where that does not follow from what is changed */
  readonly managers?: Managers | undefined;
}

/** Sets replicas to what `wanted` makes of the current scale, whose managers these are. */
export async function changeScale(
  server: VerbContext,
  request: ResourceRequest,
  wanted: (current: Scale, managers: Managers) => WantedScale | Promise<WantedScale>,
): Promise<ResourceAnswer> {
  const { kind, name = '' } = request.target;
  if (!kind.subresources['scale']) throw errors.pathNotFound();
  const served = server.kinds.of(kind);
  const transform: ObjectUpdate['transform'] = async (current, { stored }) => {
    const owned = scaledBy(server, request, stored);
    const managers = managersOfScale(owned);
    const { scale, managers: said } = await wanted(scaleOf(kind, current), managers);
    checkScaleName(scale, request);
    const scaleTo = (given: Scale): KubeObject => scaled(kind, { current, scale: given, name });
    const change = { before: json(scaleOf(kind, current)), after: json(scale) };
    const ofScale = said ?? (await managersAfter(server, request, { change, managers }));
    return {
      object: scaleTo(scale),
      ownership: { part: renderPart(managersOfScaled(owned, ofScale)) },
      view: {
        wanted: scale as KubeObject,
        of: (object) => scaleObject(kind, object),
        into: (_, admitted) => scaleTo(admitted as unknown as Scale),
      },
    };
  };
  const stored = await updateObject(server, { served, request, name, strategy: scaleOnly, transform });
  if (!stored) throw errors.notFound(kind, name);
  return { type: 'value', code: 200, object: scaleObject(kind, served.asServed(stored).object) };
}

/** The object with the replicas that a Scale wants, and with what that says of the object that it was made from. */
function scaled(
  kind: Kind,
  { current, scale: { metadata: stated = {}, spec }, name }: { readonly current: KubeObject; readonly scale: Scale; readonly name: string },
): KubeObject {
  const replicas = spec?.replicas ?? 0;
  // Of a custom resource, its own checks say it.
  if (replicas < 0 && !kind.scale) {
    const error = fieldErrors.invalid('spec.replicas', replicas, 'must be greater than or equal to 0');
    refuse({ group: 'autoscaling', kind: 'Scale' }, name, [error]);
  }
  const { uid: _uid, ...metadata } = current.metadata;
  const seen = { ...(stated.uid && { uid: stated.uid }), ...(stated.resourceVersion && { resourceVersion: stated.resourceVersion }) };
  return viewOf(kind).withReplicas({ ...current, metadata: { ...metadata, ...seen } } as KubeObject, replicas);
}

function scaledBy({ kinds }: VerbContext, { target }: ResourceRequest, { managed }: StoredObject): Scaled {
  const types = typeVersions(kinds, target.kind);
  const isServed = (version: string): boolean => types.typeIn(version) !== undefined;
  return { managers: managersOf(managed), replicas: viewOf(target.kind).replicasPath.map(fieldElement), version: types.version, isServed };
}

/** Who owns what of the Scale after an update. Of one that nobody owned anything of, nobody does. */
async function managersAfter(
  server: VerbContext,
  request: ResourceRequest,
  { change, managers }: { readonly change: ObjectChange; readonly managers: Managers },
): Promise<Managers> {
  if (managers.size === 0) return managers;
  const comparison = takeSteps(compareOwnable(typeOf(scaleTypes), change));
  if (isSame(comparison)) return managers;
  return await takeSteps(afterChange(server, { types: scaleTypes, change, managers, comparison, by: scaleWriter(request, 'Update') }));
}

const json = (scale: Scale): Json => scale as unknown as Json;

/** Scale has one version. */
export const scaleTypes: TypeVersions = {
  version: scaleVersion,
  typeIn: (version) => (version === scaleVersion ? { schema: bodyTypeOf(scaleType).schema, reset: noFields } : undefined),
  convert: (object) => object,
};

export const scaleWriter = (request: ResourceRequest, operation: Operation): ManagerName => ({
  ...writerOf(request, operation),
  apiVersion: scaleVersion,
});
