/**
 * Making and deleting the pods of a controller, with the events that people know.
 * Upstream: pkg/controller/controller_utils.go (RealPodControl).
 */
import type { PodTemplateSpec } from '../../../api/generated/core-v1.ts';
import { Pod } from '../../../api/generated/kinds.ts';
import type { OwnerReference } from '../../../api/generated/meta-v1.ts';
import { nameIsDnsSubdomain } from '../../../api/meta/names.ts';
import type { KubeObject, New } from '../../../api/meta/object.ts';
import { isNotFound, isStatusError, messageOf } from '../../../api/meta/status-error.ts';
import type { ControllerIO } from '../../../client/controllers/controller.ts';

/** A pod as the template says, named after its owner. */
export function podFromTemplate(template: PodTemplateSpec, owner: KubeObject, reference: OwnerReference): New<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const { namespace = '', name = '' } = owner.metadata;
  const prefix = nameIsDnsSubdomain(`${name}-`, true).length === 0 ? `${name}-` : name;
  return {
    metadata: {
      namespace,
      generateName: prefix,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [reference],
    },
    spec: template.spec ?? { containers: [] },
  };
}

/** Whether a create failed because the namespace is on its way out: nothing that a retry could help. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  isStatusError(error) && (error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false);

export async function createPod(io: ControllerIO, owner: KubeObject, pod: New<Pod>, why?: () => string): Promise<Pod> {
  try {
    const created = await io.client.create(Pod, pod, { why });
    io.events.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
    return created;
  } catch (error) {
    if (!isNamespaceTerminating(error)) io.events.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
    throw error;
  }
}

/** Harmless when the pod is gone already. */
export async function deletePod(io: ControllerIO, owner: KubeObject, pod: Pod, why?: () => string): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  try {
    await io.client.delete(Pod, { namespace, name }, { preconditions: { uid }, why });
    io.events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
  } catch (error) {
    if (isNotFound(error)) return;
    io.events.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
    throw new Error(`unable to delete pods: ${messageOf(error)}`, { cause: error });
  }
}
