/** Groups of Kubernetes' own need a word of approval. Upstream: apiextensions-apiserver/pkg/apihelpers/helpers.go. */
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

export function checkApproval(errors: Errors, object: CustomResourceDefinition, old?: CustomResourceDefinition): void {
  const { group = '' } = object.spec;
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group)) return;
  const state = stateOf(object);
  if (old && stateOf(old) === state) return;
  const path = `metadata.annotations[${annotation}]`;
  const message = `protected groups must have approval annotation "${annotation}"`;
  if (state === 'missing') errors.push(fieldErrors.required(path, `${message}${more}`));
  else if (state === 'invalid') {
    const detail = `${message} with either a URL or a reason starting with "unapproved"${more}`;
    errors.push(fieldErrors.invalid(path, object.metadata.annotations?.[annotation], detail));
  }
}
