/** An object in a few words, by what people ask of its kind: `3 replicas`, `2 of 3 ready`. Pure. */
import type { KubeObject } from '../../../api/meta/object.ts';
import { own } from '../../../api/meta/words.ts';

const imagesMax = 3;
const grantsMax = 3;

/** The fields that are read here, whatever the kind. */
interface Loose extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly containers?: readonly { readonly image?: string }[];
    readonly nodeName?: string;
    readonly type?: string;
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly port: number }[];
    readonly completions?: number;
    readonly schedule?: string;
    readonly resources?: { readonly requests?: { readonly storage?: string } };
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
  };
  readonly status?: {
    readonly readyReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberReady?: number;
    readonly succeeded?: number;
    readonly failed?: number;
  };
  readonly data?: Readonly<Record<string, unknown>>;
  readonly type?: string;
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[];
  readonly rules?: readonly { readonly verbs?: readonly string[]; readonly resources?: readonly string[] }[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string }[];
}

const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;
const workload = ({ spec }: Loose): string => count(spec?.replicas ?? 1, 'replica');

const created: Readonly<Record<string, (object: Loose) => string>> = {
  Deployment: workload,
  ReplicaSet: workload,
  ReplicationController: workload,
  StatefulSet: workload,
  Job: ({ spec }) => count(spec?.completions ?? 1, 'completion'),
  CronJob: ({ spec }) => spec?.schedule ?? '',
  Pod: ({ spec }) => {
    const images = (spec?.containers ?? []).map(({ image }) => image ?? '');
    const more = images.length - imagesMax;
    const on = spec?.nodeName ? `, for node ${spec.nodeName}` : '';
    return `${images.slice(0, imagesMax).join(', ')}${more > 0 ? ` and ${more} more` : ''}${on}`;
  },
  Service: ({ spec }) => {
    const address = spec?.clusterIP === 'None' ? 'no address of its own' : spec?.clusterIP;
    return [spec?.type, address, ...(spec?.ports ?? []).slice(0, 2).map(({ port }) => `port ${port}`)].filter(Boolean).join(', ');
  },
  ConfigMap: ({ data }) => count(Object.keys(data ?? {}).length, 'key'),
  Secret: ({ data, type }) => `${type}, ${count(Object.keys(data ?? {}).length, 'key')}`,
  PersistentVolumeClaim: ({ spec }) => spec?.resources?.requests?.storage ?? '',
  PodDisruptionBudget: ({ spec }) =>
    spec?.minAvailable === undefined ? `at most ${spec?.maxUnavailable ?? 0} away` : `at least ${spec.minAvailable} there`,
  Role: (role) => describeRules(role),
  ClusterRole: (role) => describeRules(role),
  RoleBinding: (binding) => describeBinding(binding),
  ClusterRoleBinding: (binding) => describeBinding(binding),
  EndpointSlice: describeEndpoints,
};

function readyOf(ready: number, wanted: number): string {
  if (wanted === 0) return `${ready === 0 ? 'none' : ready} ready, none wanted`;
  return ready > wanted ? `${ready} ready, ${wanted} wanted` : `${ready} of ${wanted} ready`;
}
const ready = ({ spec, status }: Loose): string => readyOf(status?.readyReplicas ?? 0, spec?.replicas ?? 1);
const changed: Readonly<Record<string, (object: Loose) => string>> = {
  Deployment: ready,
  ReplicaSet: ready,
  ReplicationController: ready,
  StatefulSet: ready,
  DaemonSet: ({ status }) => readyOf(status?.numberReady ?? 0, status?.desiredNumberScheduled ?? 0),
  Job: ({ spec, status }) =>
    `${status?.succeeded ?? 0} of ${spec?.completions ?? 1} done${status?.failed ? `, ${status.failed} failed` : ''}`,
  EndpointSlice: describeEndpoints,
};

/** `isNew`: as what is made; else as how it is. Empty where there is nothing to say. */
export const summaryOf = (object: KubeObject, isNew: boolean): string =>
  own(isNew ? created : changed, object.kind)?.(object as Loose) ?? '';

function describeEndpoints({ endpoints }: Loose): string {
  const all = endpoints ?? [];
  if (all.length === 0) return 'no pods';
  return `${all.filter(({ conditions }) => conditions?.ready !== false).length} of ${all.length} pods ready`;
}

function describeRules({ rules = [] }: Loose): string {
  const grants = rules
    .slice(0, grantsMax)
    .map(({ verbs = [], resources = [] }) => `${verbs.join(' and ')} ${resources.join(' and ')}`.trim());
  return grants.join('; ');
}

function describeBinding({ roleRef, subjects = [] }: Loose): string {
  const who = subjects.slice(0, grantsMax).map(({ kind, name }) => `${kind.toLowerCase()} ${name}`);
  return `${roleRef?.kind.toLowerCase()} ${roleRef?.name} for ${who.join(', ') || 'nobody'}`;
}
