/** Groups of Kubernetes' own need a word of approval. Upstream: apiextensions-apiserver/pkg/apihelpers/helpers.go. */
import type { CustomResourceDefinitionCondition } from '../../generated/apiextensions-v1.ts';
import type { CustomResourceDefinition } from '../../generated/kinds.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import type { Errors } from '../checks.ts';

const annotation = 'api-approved.kubernetes.io';
const more = ', see https://github.com/kubernetes/enhancements/pull/1111';

type State = 'missing' | 'bypassed' | 'approved' | 'invalid';

function stateOf(object: CustomResourceDefinition): State {
  const text = object.metadata.annotations?.[annotation];
  if (!text) return 'missing';
  if (text.startsWith('unapproved')) return 'bypassed';
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+/i.test(text) ? 'approved' : 'invalid';
}

const isProtected = (group: string): boolean => /(^|\.)(k8s|kubernetes)\.io$/.test(group);

const required = `protected groups must have approval annotation "${annotation}"`;
const wrongForm = `${required} with either a URL or a reason starting with "unapproved"${more}`;

/** What its status says of it; undefined of groups that need no approval. */
export function approvalCondition(object: CustomResourceDefinition): CustomResourceDefinitionCondition | undefined {
  if (!isProtected(object.spec.group)) return undefined;
  const text = object.metadata.annotations?.[annotation] ?? '';
  const told = {
    missing: { reason: 'MissingAnnotation', message: `${required}${more}` },
    bypassed: { reason: 'UnapprovedAnnotation', message: `not approved: ${JSON.stringify(text)}` },
    approved: { reason: 'ApprovedAnnotation', message: `approved in ${text}` },
    invalid: { reason: 'InvalidAnnotation', message: wrongForm },
  } as const;
  const state = stateOf(object);
  return { type: 'KubernetesAPIApprovalPolicyConformant', status: state === 'approved' ? 'True' : 'False', ...told[state] };
}

export function checkApproval(errors: Errors, object: CustomResourceDefinition, old?: CustomResourceDefinition): void {
  const { group = '' } = object.spec;
  if (!isProtected(group)) return;
  const state = stateOf(object);
  if (old && stateOf(old) === state) return;
  const path = `metadata.annotations[${annotation}]`;
  if (state === 'missing') errors.push(fieldErrors.required(path, `${required}${more}`));
  else if (state === 'invalid') errors.push(fieldErrors.invalid(path, object.metadata.annotations?.[annotation], wrongForm));
}
