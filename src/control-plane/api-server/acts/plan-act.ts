/**
 * What a write, or the refusal of one, is told as. Pure.
 *
 * An Event is told as what it says of its object. Routine is what nobody waits for: leases, statuses that say nothing
 * new, what the request of another component said already (an Event of a Pod that its controller has just created), and
 * refusals that components live with: somebody else was faster, or the object is gone.
 */
import type { KubeObject } from '../../../api/meta/object.ts';
import type { StatusError } from '../../../api/meta/status-error.ts';
import { type Act, type ActChange, type ActEvent, type ActObject, idOf } from '../../../client/events/acts.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { type Actor, actorOf } from './actor.ts';
import { differences } from './differences.ts';
import { summaryOf } from './object-summary.ts';
import { groupKindOf, holdsSecrets, shortened, tellable, tellableMessage } from './secrecy.ts';

export interface WriteGiven {
  readonly cause: ResourceRequest;
  readonly time: string;
  readonly owners: readonly string[];
  /** as stored; absent: it is new */
  readonly before: KubeObject | undefined;
  /** absent: it is gone */
  readonly after: KubeObject | undefined;
}

export function planAct({ cause, time, owners, before, after }: WriteGiven): Act {
  const object = after ?? before;
  if (!object) throw new Error('a write without an object');
  const why = tellable(cause.why?.() ?? '');
  const by = byOf(cause, time);
  const common = { ...by, verb: cause.verb, ...(owners.length > 0 && { owners }), ...(why && { why }) };
  if (after?.kind === 'Event') return planTold(common, after as EventObject);
  const changes = before && after ? differences(before, after) : [];
  const did = didOf(before, after);
  const summary = after && (did === 'marked' ? endingOf(after) : summaryOf(after, !before));
  const act = {
    ...common,
    did,
    object: objectOf(object, cause.target.subresource),
    ...(summary && { summary }),
    ...(changes.length > 0 && { changes }),
  } satisfies Act;
  const saysNew = before === undefined || summaryOf(before, false) !== summary;
  return { ...act, ...(isRoutineWrite(act, saysNew) && { isRoutine: true }) };
}

const byOf = ({ user, userAgent }: ResourceRequest, time: string): Actor & Pick<Act, 'time' | 'user' | 'userAgent'> => ({
  time,
  ...actorOf(user, userAgent),
  user: user.name,
  ...(userAgent && { userAgent: shortened(userAgent) }),
});

function didOf(before: KubeObject | undefined, after: KubeObject | undefined): Act['did'] {
  if (!after) return 'deleted';
  if (!before) return 'created';
  return after.metadata.deletionTimestamp && !before.metadata.deletionTimestamp ? 'marked' : 'changed';
}

/** What an object that is to go still waits for. */
function endingOf({ kind, metadata }: KubeObject): string {
  const { deletionGracePeriodSeconds: seconds = 0, finalizers = [] } = metadata;
  if (kind === 'Namespace') return 'all that is in it goes first';
  if (finalizers.length > 0) return `waits for ${finalizers.join(', ')}`;
  return `${seconds} s to stop`;
}

function objectOf({ apiVersion, kind, metadata }: KubeObject, subresource: string | undefined): ActObject {
  const { namespace, name = '' } = metadata;
  const { group } = groupKindOf({ apiVersion, kind });
  return { kind: kind.toLowerCase(), group, ...(namespace && { namespace }), name, ...(subresource && { subresource }) };
}

/** Kinds that others make or change in step with what is told of them already. */
const echoes = new Set(['lease', 'endpoints', 'event', 'controllerrevision']);
/** What every namespace gets. */
const givenToAll = 'configmap/kube-root-ca.crt';

/** People and their programs, not the accounts of programs in the cluster: each of their acts is told. */
const isByUser = ({ component, user }: Pick<Act, 'component' | 'user'>): boolean => component === undefined && !user.startsWith('system:');

/** Says what nobody has to know; who wants to asks for all. `saysNew`: its summary is another than before. */
function isRoutineWrite(act: Act, saysNew: boolean): boolean {
  const { did, component, changes = [], object, summary } = act;
  const { kind, subresource } = object;
  if (isByUser(act) && kind !== 'event')
    return did === 'changed' && (changes.length === 0 || (subresource === 'eviction' && kind === 'pod'));
  if (echoes.has(kind) || idOf(object) === givenToAll) return true;
  if (did !== 'changed' || subresource === 'binding') return false;
  if (changes.length === 0 || (subresource === 'eviction' && kind === 'pod')) return true; // the pod's deletion says it
  if (kind === 'endpointslice') return !saysNew;
  if (subresource !== 'status') return changes.every(isBookkeeping);
  if (component === 'scheduler') return !changes.some(({ path }) => path === 'status.nominatedNodeName');
  if (kind === 'replicaset') return true;
  if (kind === 'pod') return !changes.some(isTellingOfPod);
  if (kind === 'namespace') return !changes.some(({ to = '' }) => to.startsWith('True'));
  return summary !== undefined && summary !== '' && !saysNew && !changes.some(isAlarming);
}

/** Beside what every pod goes through at its start. */
const isTellingOfPod = ({ path, from, to = '' }: ActChange): boolean => {
  if (path === 'status.conditions.DisruptionTarget') return false; // its deletion says why
  if (path.startsWith('status.conditions.')) return from !== undefined || to.startsWith('True');
  if (path.endsWith('.state')) return !/^waiting \((ContainerCreating|PodInitializing)\)$/.test(to);
  return path === 'status.phase' || path === 'status.reason' || (path.endsWith('.restartCount') && from !== undefined);
};

/** A rollout that is stuck, a quota that keeps pods from being made. */
const isAlarming = ({ path, to = '' }: ActChange): boolean =>
  (path === 'status.conditions.Progressing' && to.startsWith('False')) ||
  (/^status\.conditions\.(ReplicaFailure|Failed|FailureTarget|Suspended)$/.test(path) && to.startsWith('True'));

/** What controllers note down for themselves. */
const isBookkeeping = ({ path }: ActChange): boolean => /^metadata\.(annotations|finalizers|ownerReferences)/.test(path);

interface EventObject extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly involvedObject?: {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly fieldPath?: string;
  };
}

/** Of these the write itself is told, or its refusal, or the status that it led to. */
const repeating = new Set([
  'Scheduled',
  'SuccessfulCreate',
  'SuccessfulDelete',
  'ScalingReplicaSet',
  'Created',
  'Completed',
  'SawCompletedJob',
  'RegisteredNode',
  'NodeHasSufficientMemory',
  'NodeHasNoDiskPressure',
  'NodeHasSufficientPID',
  'NodeReady',
  'NodeNotReady',
  'FailedCreate',
  'FailedDelete',
  'TaintManagerEviction',
  'LeaderElection',
]);

type Common = Pick<Act, 'time' | 'user' | 'verb'> & Partial<Act>;

function planTold(common: Common, event: EventObject): Act {
  const { type = 'Normal', reason = '', message = '', count = 1, involvedObject: about = {} } = event;
  const container = /^spec\.(?:initContainers|containers|ephemeralContainers)\{(.+)\}$/.exec(about.fieldPath ?? '')?.[1];
  const isRepeating = repeating.has(reason) || (reason === 'Failed' && /^Error: \w+$/.test(message));
  const object = objectOf(
    {
      apiVersion: about.apiVersion ?? '',
      kind: about.kind ?? '',
      metadata: { ...(about.namespace && { namespace: about.namespace }), name: about.name ?? '' },
    } as KubeObject,
    undefined,
  );
  const words = holdsSecrets({ group: object.group, kind: about.kind ?? '' }) ? '' : tellable(message);
  const told: ActEvent = { type, reason: shortened(reason), message: words, count, ...(container && { container }) };
  return { ...common, did: 'told', object, event: told, ...(isRepeating && { isRoutine: true }) };
}

/** Nothing new may come into a namespace that goes. */
const isOfDeletion = ({ status }: StatusError): boolean =>
  status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true;

export interface RefusalGiven {
  readonly request: ResourceRequest;
  readonly time: string;
  readonly owners: readonly string[];
  readonly error: StatusError;
}

/** Undefined where a refusal tells nothing: what was only read and is not there. */
export function planRefusal({ request, time, owners, error }: RefusalGiven): Act | undefined {
  const { verb, target } = request;
  const { kind, namespace, name, subresource } = target;
  const { code, reason, refusedBy } = error;
  const isRead = verb === 'get' || verb === 'list' || verb === 'watch';
  if (isRead && code !== 403) return undefined;
  const by = byOf(request, time);
  const object: ActObject = {
    kind: kind.kind.toLowerCase(),
    group: kind.group,
    ...(namespace && { namespace }),
    name: name ?? error.status.details?.name ?? '',
    ...(subresource && { subresource }),
  };
  const refuser = refusedBy ?? (reason === 'Invalid' ? 'validation' : undefined);
  const refusal = { code, reason, message: tellableMessage(kind, error), resource: kind.resource, ...(refuser && { by: refuser }) };
  const isEveryday = by.component !== undefined && (code === 404 || code === 409 || isOfDeletion(error));
  return { ...by, did: 'refused', verb, object, ...(owners.length > 0 && { owners }), refusal, ...(isEveryday && { isRoutine: true }) };
}
