/** The controllers that every cluster runs. Each acts as the service account of its name in kube-system. */
import type { Controller } from '../../client/controller.ts';
import { deploymentController } from './deployment.ts';
import { endpointSliceController } from './endpoint-slice.ts';
import { endpointsController } from './endpoints.ts';
import { garbageCollector } from './garbage-collector.ts';
import { jobController } from './job.ts';
import { namespaceController } from './namespace.ts';
import { nodeIPAM } from './node-ipam.ts';
import { replicaSetController } from './replica-set.ts';
import { replicationController } from './replication-controller.ts';
import { rootCAController } from './root-ca.ts';
import { serviceAccountController } from './service-account.ts';

export interface ControllerSettings {
  /** PEM: the authority that pods trust the API server by */
  readonly rootCA: string;
  /** the pods of all nodes: `10.244.0.0/16` */
  readonly clusterCIDR: string;
}

export const builtinControllers = ({ rootCA, clusterCIDR }: ControllerSettings): readonly Controller[] => [
  replicaSetController,
  replicationController,
  deploymentController,
  endpointSliceController,
  endpointsController,
  serviceAccountController,
  rootCAController(rootCA),
  namespaceController,
  garbageCollector(),
  jobController(),
  nodeIPAM({ clusterCIDR }),
];
