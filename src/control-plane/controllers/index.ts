/**
 * All controllers of the control plane. Each acts with the rights of its own service account in kube-system
 * (`Controller.serviceAccount`, else its name), or of a user; the bootstrap policy has a role for each.
 */
import type { Controller } from '../../client/controller.ts';
import type { Authority } from '../pki/authority.ts';
import { certificateApproval } from './certificate-approval.ts';
import { certificateCleaner } from './certificate-cleaner.ts';
import { certificateSigning } from './certificate-signing.ts';
import { clusterRoleAggregation } from './cluster-role-aggregation.ts';
import { type ControllerName, controllerChoice } from './controller-names.ts';
import { cronJobController } from './cron-job.ts';
import { daemonSetController } from './daemon-set.ts';
import { deploymentController } from './deployment.ts';
import { disruptionController } from './disruption.ts';
import { endpointSliceController } from './endpoint-slice.ts';
import { endpointSliceMirroring } from './endpoint-slice-mirroring.ts';
import { endpointsController } from './endpoints.ts';
import { garbageCollector } from './garbage-collector.ts';
import { jobController } from './job.ts';
import { namespaceController } from './namespace.ts';
import { nodeIPAM } from './node-ipam.ts';
import { nodeLifecycleController } from './node-lifecycle.ts';
import { podGarbageCollector } from './pod-garbage-collector.ts';
import { replicaSetController } from './replica-set.ts';
import { replicationController } from './replication-controller.ts';
import { rootCAController } from './root-ca.ts';
import { serviceAccountController } from './service-account.ts';
import { type IssueSecretToken, serviceAccountTokens } from './service-account-tokens.ts';
import { statefulSetController } from './stateful-set.ts';
import { taintEvictionController } from './taint-eviction.ts';
import { ttlAfterFinishedController } from './ttl-after-finished.ts';
import { attributesClassProtection, claimProtection, volumeProtection } from './volume-protection.ts';

export interface BuiltinControllersOptions {
  /** PEM: what pods check the API server's certificate by; absent: namespaces get no ConfigMap with it */
  readonly rootCA?: string;
  /** the pods of all nodes: `10.244.0.0/16` */
  readonly clusterCIDR: string;
  /** the cluster's secret keys; absent: nothing is signed, for certificate requests or tokens in Secrets */
  readonly signing?: ClusterSigning;
  /** default: all */
  readonly chosen?: (name: ControllerName) => boolean;
}

export interface ClusterSigning {
  readonly certificate: Authority['sign'];
  readonly secretToken: IssueSecretToken;
}

/** A new set: some controllers remember things between reconciles, so a set is run once. */
export function builtinControllers({ rootCA, clusterCIDR, signing, chosen = controllerChoice() }: BuiltinControllersOptions): Controller[] {
  const all: Record<ControllerName, Controller | undefined> = {
    'replicaset-controller': replicaSetController,
    'replicationcontroller-controller': replicationController,
    'deployment-controller': deploymentController,
    'endpointslice-controller': endpointSliceController,
    'endpoints-controller': endpointsController,
    'endpointslice-mirroring-controller': endpointSliceMirroring,
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
    'ttl-after-finished-controller': ttlAfterFinishedController,
    'disruption-controller': disruptionController,
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
