/**
 * Which controllers run, in the words of kube-controller-manager's --controllers: `*` is all that run by default, `foo`
 * adds one, `-foo` leaves one out, and what is named first wins; `none` alone, or an empty list, is none. The names are
 * upstream's, and so are their older forms (the API server's repair of addresses is a controller here, under the name of
 * its events). Those that are not built may be left out, but not asked for.
 * Upstream: cmd/kube-controller-manager/names/controller_names.go; the older forms are the descriptors' aliases.
 */
import { own } from '../../api/meta/words.ts';

/** Built here, with their older names. */
const built = {
  'certificatesigningrequest-approving-controller': 'csrapproving',
  'certificatesigningrequest-cleaner-controller': 'csrcleaner',
  'certificatesigningrequest-signing-controller': 'csrsigning',
  'clusterrole-aggregation-controller': 'clusterrole-aggregation',
  'cronjob-controller': 'cronjob',
  'daemonset-controller': 'daemonset',
  'deployment-controller': 'deployment',
  'disruption-controller': 'disruption',
  'endpoints-controller': 'endpoint',
  'endpointslice-controller': 'endpointslice',
  'endpointslice-mirroring-controller': 'endpointslicemirroring',
  'ephemeral-volume-controller': 'ephemeral-volume',
  'garbage-collector-controller': 'garbagecollector',
  'horizontal-pod-autoscaler-controller': 'horizontalpodautoscaling',
  'ipallocator-repair-controller': undefined,
  'job-controller': 'job',
  'namespace-controller': 'namespace',
  'node-ipam-controller': 'nodeipam',
  'node-lifecycle-controller': 'nodelifecycle',
  'persistentvolume-binder-controller': 'persistentvolume-binder',
  'persistentvolume-expander-controller': 'persistentvolume-expander',
  'persistentvolume-protection-controller': 'pv-protection',
  'persistentvolumeclaim-protection-controller': 'pvc-protection',
  'pod-garbage-collector-controller': 'podgc',
  'replicaset-controller': 'replicaset',
  'replicationcontroller-controller': 'replicationcontroller',
  'root-ca-certificate-publisher-controller': 'root-ca-cert-publisher',
  'service-cidr-controller': undefined,
  'serviceaccount-controller': 'serviceaccount',
  'serviceaccount-token-controller': 'serviceaccount-token',
  'statefulset-controller': 'statefulset',
  'taint-eviction-controller': undefined,
  'ttl-after-finished-controller': 'ttl-after-finished',
  'volumeattributesclass-protection-controller': undefined,
} as const;

export type ControllerName = keyof typeof built;

/** Upstream's others. What `resourcequota-controller` does, the API server does here, always. */
const notBuilt: Readonly<Record<string, string | undefined>> = {
  'bootstrap-signer-controller': 'bootstrapsigner',
  'cloud-node-lifecycle-controller': 'cloud-node-lifecycle',
  'device-taint-eviction-controller': undefined,
  'kube-apiserver-serving-clustertrustbundle-publisher-controller': undefined,
  'legacy-serviceaccount-token-cleaner-controller': 'legacy-service-account-token-cleaner',
  'node-route-controller': 'route',
  'persistentvolume-attach-detach-controller': 'attachdetach',
  'podcertificaterequest-cleaner-controller': undefined,
  'podgroup-protection-controller': undefined,
  'resourceclaim-controller': 'resource-claim-controller',
  'resourcepoolstatusrequest-controller': undefined,
  'resourcequota-controller': 'resourcequota',
  'selinux-warning-controller': undefined,
  'service-lb-controller': 'service',
  'storage-version-migrator-controller': 'svm',
  'storageversion-garbage-collector-controller': 'storage-version-gc',
  'token-cleaner-controller': 'tokencleaner',
  'ttl-controller': 'ttl',
  'validatingadmissionpolicy-status-controller': undefined,
};

export const controllerNames = Object.keys(built) as readonly ControllerName[];
const named = (names: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(names).flatMap(([name, old]) =>
      old === undefined
        ? [[name, name]]
        : [
            [name, name],
            [old, name],
          ],
    ),
  );
const runs = named(built);
const leftOut = named(notBuilt);
const none = 'none';

/** What is wrong with a list; undefined: nothing. */
export function controllersProblem(list: readonly string[]): string | undefined {
  if (list.includes(none)) return list.length === 1 ? undefined : `"${none}" stands alone`;
  for (const word of list) {
    const name = word.replace(/^-/, '');
    if (word === '*' || own(runs, name)) continue;
    if (!own(leftOut, name)) return `there is no controller "${name}"`;
    if (word === name) return `the controller "${name}" is not built yet`;
  }
  return undefined;
}

/** Whether a controller runs, by a list without problems; absent: all run. */
export function controllerChoice(list: readonly string[] = ['*']): (name: ControllerName) => boolean {
  const words = list.map((word) => (word.startsWith('-') ? `-${own(runs, word.slice(1))}` : (own(runs, word) ?? word)));
  return (name) => {
    const said = words.find((word) => word === name || word === `-${name}`);
    return said === undefined ? words.includes('*') : said === name;
  };
}
