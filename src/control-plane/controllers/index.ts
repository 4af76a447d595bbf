/**
 * All controllers of the control plane. Each acts with the rights of its own service account in kube-system
 * (`Controller.serviceAccount`, else its name), or of a user; the bootstrap policy has a role for each.
 */
import type { Controller } from '../../client/controllers/controller.ts';
import type { Authority } from '../pki/authority.ts';
import { certificateApproval } from './access/certificate-approval.ts';
import { certificateCleaner } from './access/certificate-cleaner.ts';
import { certificateSigning } from './access/certificate-signing.ts';
import { clusterRoleAggregation } from './access/cluster-role-aggregation.ts';
import { rootCAController } from './access/root-ca.ts';
import { serviceAccountController } from './access/service-account.ts';
import { type IssueSecretToken, serviceAccountTokens } from './access/service-account-tokens.ts';
import { horizontalPodAutoscaling } from './autoscaling/horizontal-pod-autoscaler.ts';
import { type ControllerName, controllerChoice } from './controller-names.ts';
import { garbageCollector } from './deletion/garbage-collector.ts';
import { namespaceController } from './deletion/namespace.ts';
import { ttlAfterFinishedController } from './deletion/ttl-after-finished.ts';
import { attributesClassProtection, claimProtection, volumeProtection } from './deletion/volume-protection.ts';
import { nodeIPAM } from './nodes/node-ipam.ts';
import { nodeLifecycleController } from './nodes/node-lifecycle.ts';
import { taintEvictionController } from './nodes/taint-eviction.ts';
import { disruptionController } from './pods/disruption.ts';
import { podGarbageCollector } from './pods/pod-garbage-collector.ts';
import { endpointSliceController } from './services/endpoint-slice.ts';
import { endpointSliceMirroring } from './services/endpoint-slice-mirroring.ts';
import { endpointsController } from './services/endpoints.ts';
import { ipAddressRepair } from './services/ip-address-repair.ts';
import { serviceCIDRController } from './services/service-cidr.ts';
import { ephemeralVolumeController } from './volumes/ephemeral-volume.ts';
import { volumeBinder } from './volumes/volume-binder.ts';
import { volumeExpander } from './volumes/volume-expander.ts';
import { cronJobController } from './workloads/cron-job.ts';
import { daemonSetController } from './workloads/daemon-set.ts';
import { deploymentController } from './workloads/deployment.ts';
import { jobController } from './workloads/job.ts';
import { replicaSetController } from './workloads/replica-set.ts';
import { replicationManager } from './workloads/replication-manager.ts';
import { statefulSetController } from './workloads/stateful-set.ts';

export interface BuiltinControllersOptions {
  /** PEM: what pods check the API server's certificate by; absent: namespaces get no ConfigMap with it */
  readonly rootCA?: string | undefined;
  /** the pods of all nodes: `10.244.0.0/16` */
  readonly clusterCIDR: string;
  /** the cluster's secret keys; absent: nothing is signed, for certificate requests or tokens in Secrets */
  readonly signing?: ClusterSigning | undefined;
  /** default: all */
  readonly chosen?: ((name: ControllerName) => boolean) | undefined;
}

export interface ClusterSigning {
  readonly certificate: Authority['sign'];
  readonly secretToken: IssueSecretToken;
}

/** A new set: some controllers remember things between reconciles, so a set is run once. */
export function builtinControllers({ rootCA, clusterCIDR, signing, chosen = controllerChoice() }: BuiltinControllersOptions): Controller[] {
  const all: Record<ControllerName, Controller | undefined> = {
    'replicaset-controller': replicaSetController,
    'replicationcontroller-controller': replicationManager,
    'deployment-controller': deploymentController,
    'endpointslice-controller': endpointSliceController,
    'endpoints-controller': endpointsController,
    'endpointslice-mirroring-controller': endpointSliceMirroring,
    'service-cidr-controller': serviceCIDRController,
    'ipallocator-repair-controller': ipAddressRepair,
    'serviceaccount-controller': serviceAccountController,
    'root-ca-certificate-publisher-controller': rootCA === undefined ? undefined : rootCAController(rootCA),
    'serviceaccount-token-controller':
      signing && rootCA !== undefined ? serviceAccountTokens({ issue: signing.secretToken, rootCA }) : undefined,
    'certificatesigningrequest-signing-controller': signing && certificateSigning(signing.certificate),
    'certificatesigningrequest-approving-controller': certificateApproval,
    'certificatesigningrequest-cleaner-controller': certificateCleaner,
    'namespace-controller': namespaceController,
    'garbage-collector-controller': garbageCollector(),
    'job-controller': jobController(),
    'daemonset-controller': daemonSetController(),
    'statefulset-controller': statefulSetController,
    'cronjob-controller': cronJobController,
    'node-ipam-controller': nodeIPAM({ clusterCIDR }),
    'clusterrole-aggregation-controller': clusterRoleAggregation,
    'node-lifecycle-controller': nodeLifecycleController(),
    'taint-eviction-controller': taintEvictionController(),
    'pod-garbage-collector-controller': podGarbageCollector,
    'horizontal-pod-autoscaler-controller': horizontalPodAutoscaling(),
    'ttl-after-finished-controller': ttlAfterFinishedController,
    'disruption-controller': disruptionController,
    'persistentvolume-binder-controller': volumeBinder,
    'persistentvolume-expander-controller': volumeExpander,
    'ephemeral-volume-controller': ephemeralVolumeController,
    'persistentvolumeclaim-protection-controller': claimProtection,
    'persistentvolume-protection-controller': volumeProtection,
    'volumeattributesclass-protection-controller': attributesClassProtection,
  };
  return (Object.keys(all) as ControllerName[]).flatMap((name) => (chosen(name) && all[name]) || []);
}

/** The user that a controller acts as. */
export const identityOf = ({ name, serviceAccount = name, user }: Controller) =>
  user === undefined
    ? {
        name: `system:serviceaccount:kube-system:${serviceAccount}`,
        groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
      }
    : { name: user, groups: ['system:authenticated'] };
