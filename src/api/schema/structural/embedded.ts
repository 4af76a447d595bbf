/**
 * Embedded resources have an apiVersion, a kind and sound metadata.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/objectmeta/validation.go.
 */
import type { ObjectMeta } from '../../generated/meta-v1.ts';
import { checkDns1035Label, nameIsPathSegment } from '../../meta/names.ts';
import type { KubeObject } from '../../meta/object.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { Pace, type Steps } from '../../meta/steps.ts';
import { own } from '../../meta/words.ts';
import { validateMetadata } from '../metadata.ts';
import { type Path, placesAtOnce, walkSaid } from './places.ts';
import type { Structural } from './structural.ts';

type Json = Readonly<Record<string, unknown>>;

export function* checkEmbedded(node: Structural, value: unknown, path: Path): Steps<readonly FieldError[]> {
  const found: FieldError[] = [];
  const pace = new Pace(placesAtOnce);
  for (const place of walkSaid(node, value, path)) {
    if (pace.isDue()) yield;
    if (!place.node.isEmbedded || typeof place.value !== 'object' || place.value === null || Array.isArray(place.value)) continue;
    found.push(...checkResource(place.value as Json, place.path));
  }
  return found;
}

export function checkResource(resource: Json, path: Path): readonly FieldError[] {
  const found: FieldError[] = [];
  checkText(found, path.field('apiVersion').text, own(resource, 'apiVersion'), (apiVersion) =>
    apiVersion.split('/').length > 2 ? `unexpected GroupVersion string: ${apiVersion}` : undefined,
  );
  checkText(found, path.field('kind').text, own(resource, 'kind'), (kind) => {
    const problems = checkDns1035Label(kind.toLowerCase());
    return problems.length ? `may have mixed case, but should otherwise match: ${problems.join(',')}` : undefined;
  });
  const metadata = own(resource, 'metadata') as ObjectMeta | undefined;
  if (metadata) {
    const named = { metadata: { ...metadata, name: metadata.name || 'fakename' } } as KubeObject;
    const rules = { namespaced: Boolean(metadata.namespace), validateName: nameIsPathSegment };
    found.push(...validateMetadata(rules, named, path.field('metadata').text));
  }
  return found;
}

function checkText(found: FieldError[], path: string, value: unknown, problem: (text: string) => string | undefined): void {
  if (value === undefined) found.push(fieldErrors.required(path));
  else if (typeof value !== 'string') found.push(fieldErrors.invalid(path, value, 'must be a string'));
  else if (!value) found.push(fieldErrors.invalid(path, value, 'must not be empty'));
  else {
    const detail = problem(value);
    if (detail !== undefined) found.push(fieldErrors.invalid(path, value, detail));
  }
}
