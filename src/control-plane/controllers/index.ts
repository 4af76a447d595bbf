/**
 * All controllers of the control plane. Each acts with the rights of its own service account in kube-system
 * (`Controller.serviceAccount`, else its name), or of a user; the bootstrap policy has a role for each.
 */
import type { Controller } from '../../client/controller.ts';
import { clusterRoleAggregation } from '../api-server/authorization/cluster-role-aggregation.ts';
import type { Authority } from '../pki/authority.ts';
import { certificateApproval } from './certificate-approval.ts';
import { certificateCleaner } from './certificate-cleaner.ts';
import { certificateSigning } from './certificate-signing.ts';
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
}

export interface ClusterSigning {
  readonly certificate: Authority['sign'];
  readonly secretToken: IssueSecretToken;
}

/** A new set: some controllers remember things between reconciles, so a set is run once. */
export function builtinControllers({ rootCA, clusterCIDR, signing }: BuiltinControllersOptions): Controller[] {
  return [
    replicaSetController,
    replicationController,
    deploymentController,
    endpointSliceController,
    endpointsController,
    endpointSliceMirroring,
    serviceAccountController,
    ...(rootCA === undefined ? [] : [rootCAController(rootCA)]),
    ...(signing && rootCA !== undefined ? [serviceAccountTokens({ issue: signing.secretToken, rootCA })] : []),
    ...(signing ? [certificateSigning(signing.certificate)] : []),
    certificateApproval,
    certificateCleaner,
    namespaceController,
    garbageCollector(),
    jobController(),
    daemonSetController(),
    statefulSetController,
    cronJobController,
    nodeIPAM({ clusterCIDR }),
    clusterRoleAggregation,
    nodeLifecycleController(),
    taintEvictionController(),
    podGarbageCollector,
    ttlAfterFinishedController,
    disruptionController,
    claimProtection,
    volumeProtection,
    attributesClassProtection,
  ];
}

/** The user that a controller acts as. */
export const identityOf = ({ name, serviceAccount = name, user }: Controller) =>
  user === undefined
    ? {
        name: `system:serviceaccount:kube-system:${serviceAccount}`,
        groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
      }
    : { name: user, groups: ['system:authenticated'] };
