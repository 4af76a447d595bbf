/**
 * A pod that only the runtime still knows: enough of it to end it properly, from what was written on its containers.
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go (restoreSpecsFromContainerLabels).
 */
import type { Container, Pod } from '../../../api/generated/core-v1.ts';
import { podLabels } from '../../runtime/container-runtime.ts';
import type * as cri from '../../runtime/cri-types.ts';
import { readContainerNotes } from './runtime-labels.ts';

export function restorePod(sandbox: cri.PodSandbox, containers: readonly cri.Container[]): Pod {
  const notes = containers.map((c) => readContainerNotes(c.annotations));
  const termination = notes.find((n) => n.terminationGraceSeconds !== undefined)?.terminationGraceSeconds;
  const deletion = notes.find((n) => n.deletionGraceSeconds !== undefined)?.deletionGraceSeconds;
  const { name, namespace, uid } = sandbox.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion: '',
      creationTimestamp: '',
      ...(deletion !== undefined && { deletionGracePeriodSeconds: deletion }),
    },
    spec: {
      containers: containers.map(restoreContainer),
      ...(termination !== undefined && { terminationGracePeriodSeconds: termination }),
    },
    status: {},
  };
}

function restoreContainer(container: cri.Container): Container {
  const { preStop, ports } = readContainerNotes(container.annotations);
  return { name: container.metadata.name, ...(ports && { ports }), ...(preStop && { lifecycle: { preStop } }) };
}

export const podUIDOf = (object: { readonly labels: cri.StringMap }): string | undefined => object.labels[podLabels.podUid];
