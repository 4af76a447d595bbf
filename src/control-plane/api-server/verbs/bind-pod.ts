/**
 * Bindings: what a scheduler posts to put a pod on a node, to `pods/NAME/binding` or (older clients) to `bindings`.
 * Upstream: pkg/registry/core/pod/storage/storage.go (BindingREST).
 */
import type { Binding, Pod } from '../../../api/generated/core-v1.ts';
import { Pod as PodKind } from '../../../api/generated/kinds.ts';
import { withCondition } from '../../../api/meta/conditions.ts';
import type { KubeObject, ObjectName } from '../../../api/meta/object.ts';
import { describeFieldError, errors, type FieldError, fieldErrors, StatusError } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { CreateEndpoint } from '../request/api-request.ts';
import { changeObject } from '../write/commit-write.ts';
import type { VerbContext } from '../write/verb-context.ts';

export function bindingEndpoints(server: VerbContext): readonly CreateEndpoint[] {
  const handle: CreateEndpoint['handle'] = async ({ at, body, request }) => {
    const binding = body as unknown as Binding;
    if (binding.metadata?.name !== at.name) throw errors.badRequest('name in URL does not match name in Binding object');
    checkBinding(binding);
    await changeObject<Pod>(server, {
      request,
      served: server.kinds.of(server.kinds.kind(PodKind)),
      namespace: at.namespace,
      name: at.name,
      dryRun: request.dryRun,
      change: (pod) => bind(pod, binding, { at, nowMs: server.clock.now() }),
    });
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as KubeObject;
  };
  return [
    { group: '', resource: 'pods', subresource: 'binding', handle },
    { group: '', resource: 'bindings', handle },
  ];
}

function checkBinding({ target }: Binding): void {
  const found: FieldError[] = [];
  if (target?.kind && target.kind !== 'Node') found.push(fieldErrors.notSupported('target.kind', target.kind, ['Node', '<empty>']));
  if (!target?.name) found.push(fieldErrors.required('target.name'));
  if (found.length === 0) return;
  const texts = found.map(describeFieldError);
  throw new StatusError({ code: 500, reason: '', message: texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]` });
}

/** The pod on its node. Throws Conflict for one that can't be bound. */
function bind(pod: Pod, binding: Binding, given: { readonly at: ObjectName; readonly nowMs: number }): Pod {
  const { name } = given.at;
  const refuse = (why: string): StatusError => errors.conflict({ group: '', resource: 'pods/binding' }, name, why);
  const { uid, resourceVersion, annotations, labels } = binding.metadata ?? {};
  if (uid && uid !== pod.metadata.uid) {
    const why = `StorageError: invalid object, Code: 4, Key: /registry/pods/${given.at.namespace}/${name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid ?? ''}`;
    throw errors.conflict({ group: '', resource: 'pods' }, name, why);
  }
  if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion) throw errors.conflict({ group: '', resource: 'pods' }, name);
  if (pod.metadata.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec?.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  if (pod.spec?.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  const { nominatedNodeName: _, ...status } = pod.status ?? {};
  const metadata = {
    ...pod.metadata,
    ...(annotations && { annotations: { ...pod.metadata.annotations, ...annotations } }),
    ...(labels && { labels: { ...pod.metadata.labels, ...labels } }),
  };
  const bound: Pod = { ...pod, metadata, spec: { ...pod.spec, nodeName: binding.target.name } as NonNullable<Pod['spec']>, status };
  const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: formatTime(given.nowMs) };
  return { ...bound, status: { ...status, conditions: withCondition(status.conditions, scheduled) } };
}
