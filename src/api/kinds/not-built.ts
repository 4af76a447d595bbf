/**
 * What is stored and does nothing yet: each row says of which objects, and in one sentence what does not happen and what
 * that means for whoever wrote one. It is told as a warning. Who builds a feature takes its row away.
 *
 * What is wrong with an object, or deprecated in it, is its kind's own affair (`validate`, `warnings`).
 */
import type { PodSpec, Volume } from '../generated/core-v1.ts';
import * as kinds from '../generated/kinds.ts';
import type { KindRef, KubeObject, ObjectName } from '../meta/object.ts';
import { simulatedLabel } from '../meta/well-known.ts';
import { own } from '../meta/words.ts';
import { templateGetter } from '../predicates/pod-template.ts';
import { listOf } from './lists.ts';

/** What else there is, for rows that hang on it. */
export interface StoredObjects {
  get<T extends KubeObject>(kind: KindRef<T>, at: ObjectName): T | undefined;
  list<T extends KubeObject>(kind: KindRef<T>): Iterable<T>;
}

/** An object that was written; `old` is there for updates. */
export interface WrittenObject<T extends KubeObject = KubeObject> {
  readonly object: T;
  readonly old?: T | undefined;
  readonly others: StoredObjects;
}

type Resource = Pick<KindRef, 'group' | 'resource'>;

export interface NotBuilt {
  /** in each of their versions */
  readonly kinds: readonly Resource[];
  /** absent: every object */
  readonly when?: ((written: WrittenObject) => boolean) | undefined;
  readonly says: string;
}

const every = (of: readonly Resource[], says: string): NotBuilt => ({ kinds: of, says });

function some<T extends KubeObject>(kind: KindRef<T>, says: string, when: (written: WrittenObject<T>) => boolean): NotBuilt {
  return { kinds: [kind], says, when: when as NotBuilt['when'] };
}

const podMakers: readonly Resource[] = [
  kinds.PodTemplate,
  kinds.ReplicationController,
  kinds.ReplicaSet,
  kinds.Deployment,
  kinds.StatefulSet,
  kinds.DaemonSet,
  kinds.Job,
  kinds.CronJob,
];

/** Of pods, and of what makes them. */
const ofPods = (says: string, when: (spec: PodSpec) => boolean): readonly NotBuilt[] => [
  some(kinds.Pod, says, ({ object }) => when(object.spec)),
  ...podMakers.map((kind): NotBuilt => {
    const specOf = (object: KubeObject): PodSpec | undefined => templateGetter(kind)?.(object)?.spec;
    return { kinds: [kind], says, when: ({ object }) => when(specOf(object) ?? noSpec) };
  }),
];
const noSpec: PodSpec = { containers: [] };

/** The fields of a volume behind which kubelets have a plugin, and its name. */
const mountable: ReadonlySet<string> = new Set<keyof Volume>([
  'name',
  'configMap',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'hostPath',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);
const hasDriverVolume = ({ volumes }: PodSpec): boolean =>
  listOf(volumes).some(
    (volume) => Object.keys(volume).some((key) => !mountable.has(key)) || volume.emptyDir?.medium?.startsWith('HugePages'),
  );

function hasSimulatedNode(others: StoredObjects): boolean {
  for (const { metadata } of others.list(kinds.Node)) if (own(metadata.labels, simulatedLabel) !== undefined) return true;
  return false;
}
const topologyKeys = ['service.kubernetes.io/topology-mode', 'service.kubernetes.io/topology-aware-hints'];

export const notBuilt: readonly NotBuilt[] = [
  // network
  some(kinds.NetworkPolicy, 'simulated nodes enforce no NetworkPolicies: traffic of their pods is not restricted', ({ others }) =>
    hasSimulatedNode(others),
  ),
  some(
    kinds.Service,
    'no load balancer comes with the cluster yet: the Service gets no external address',
    ({ object }) => object.spec.type === 'LoadBalancer',
  ),
  some(kinds.Service, 'topology-aware hints are not given yet: traffic goes to endpoints in all zones', ({ object }) =>
    topologyKeys.some((key) => /^auto$/i.test(own(object.metadata.annotations, key) ?? '')),
  ),

  // storage
  every([kinds.VolumeAttributesClass], 'the attributes of volumes are not changed yet: the class has no effect'),
  every([kinds.VolumeAttachment], 'volumes are not attached to nodes yet: nothing happens'),
  every([kinds.CSIDriver, kinds.CSINode, kinds.CSIStorageCapacity], 'CSI drivers are not used yet: no volume comes from them'),
  ...ofPods('volumes of drivers can not be mounted yet: a pod that has one does not start', hasDriverVolume),

  // devices, users, runtimes
  ...ofPods('devices are not allocated yet: resourceClaims are ignored', ({ resourceClaims }) => listOf(resourceClaims).length > 0),
  every(
    [
      kinds.ResourceClaim,
      kinds.ResourceClaimTemplate,
      kinds.ResourceSlice,
      kinds.DeviceClass,
      kinds.DeviceTaintRule,
      kinds.ResourcePoolStatusRequest,
    ],
    'devices are not allocated yet: no pod gets any',
  ),
  ...ofPods('pods get no user namespace of their own yet: root in the pod is root on the node', ({ hostUsers }) => hostUsers === false),
  some(
    kinds.RuntimeClass,
    'real nodes know the handler runc alone: pods of this class do not start there',
    ({ object }) => object.handler !== 'runc',
  ),

  // scaling and scheduling
  some(
    kinds.HorizontalPodAutoscaler,
    'nothing measures pods here yet: without a metrics server the number of replicas stays as it is, within its bounds',
    ({ others }) => !others.get(kinds.APIService, { name: 'v1beta1.metrics.k8s.io' }),
  ),
  every([kinds.Workload, kinds.PodGroup], 'groups of pods are not scheduled together yet: each pod is placed alone'),

  // the API
  every(
    [kinds.FlowSchema, kinds.PriorityLevelConfiguration],
    'flow schemas and priority levels are not obeyed yet: requests are limited by number alone',
  ),
  some(
    kinds.Secret,
    'bootstrap tokens are not accepted yet: nobody can log in with it',
    ({ object }) => object.type === 'bootstrap.kubernetes.io/token',
  ),
  every([kinds.ClusterTrustBundle], 'trust bundles are not projected into pods yet: it has no effect'),
  every([kinds.PodCertificateRequest], 'certificates of pods are not issued yet: it stays pending'),
  every([kinds.LeaseCandidate], 'leaders are not chosen by the server yet: the candidate has no effect'),
  every([kinds.StorageVersionMigration], 'stored objects are not migrated yet: nothing happens'),
];
