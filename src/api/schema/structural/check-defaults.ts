/**
 * Defaults have to be values that the schema accepts, with no field that it does not know.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/defaulting/validation.go.
 */
import type { JSONSchemaProps } from '../../generated/apiextensions-v1.ts';
import { describeFieldError, type FieldError, fieldErrors } from '../../meta/status-error.ts';
import type { Steps } from '../../meta/steps.ts';
import { DecodeError } from '../decode.ts';
import { Correlation } from './correlation.ts';
import { checkEmbedded, checkResource } from './embedded.ts';
import { Path } from './places.ts';
import { metaFields, prune, pruneDefault } from './prune.ts';
import { evaluateRules } from './rules/evaluate-rules.ts';
import { Structural } from './structural.ts';
import { sortedFields, validateValue } from './validate-value.ts';

/** Puts a value where it stands in a resource. */
type Surround = (value: unknown) => Readonly<Record<string, unknown>>;
const inResource: Surround = (value) => ({ apiVersion: 'validation/v1', kind: 'Validation', ...(value as object) });

interface Place {
  readonly path: Path;
  /** the resource around it, the definition's own or an embedded one */
  readonly resource: Structural;
  readonly surround: Surround;
  readonly insideMeta: boolean;
}

export function checkDefaults(said: JSONSchemaProps, path: Path, mayBeUnpruned: boolean): Steps<readonly FieldError[]> {
  const root = new Structural({ ...said, 'x-kubernetes-embedded-resource': true }, { isVerbatim: true });
  return checkNode(root, { path, resource: root, surround: inResource, insideMeta: false }, mayBeUnpruned);
}

function* checkNode(node: Structural, place: Place, mayBeUnpruned: boolean): Steps<readonly FieldError[]> {
  if (!node.fills) return [];
  const here = node.isEmbedded ? { ...place, resource: node, surround: inResource, insideMeta: false } : place;
  const found: FieldError[] = [];
  if (node.said.default !== undefined) {
    const path = place.path.field('default');
    const { value, hasUnknown, refusal } = pruneDefault(node, node.said.default, path);
    if (hasUnknown && !mayBeUnpruned && !here.insideMeta)
      found.push(fieldErrors.invalid(path.text, sortedFields(node.said.default), 'must not have unknown fields'));
    const ofMetadata = here.insideMeta ? checkInMetadata(node, path, here) : refusal ? [refusal] : yield* checkEmbedded(node, value, path);
    const ofValue = ofMetadata.length ? ofMetadata : yield* validateValue(node, node.said.default, { path: path.text });
    found.push(...(ofValue.length ? ofValue : yield* checkRulesOf(node, path, here)));
  }
  yield;
  const { path, surround } = here;
  if (node.items) {
    found.push(
      ...(yield* checkNode(node.items, { ...here, path: path.field('items'), surround: (value) => surround([value]) }, mayBeUnpruned)),
    );
  }
  for (const [name, property] of node.filling) {
    const insideMeta = here.insideMeta || (node.isEmbedded && metaFields.has(name));
    const at = { ...here, insideMeta, path: path.field('properties').key(name), surround: (value: unknown) => surround({ [name]: value }) };
    found.push(...(yield* checkNode(property, at, mayBeUnpruned)));
  }
  return found;
}

/** As of a value that did not change, then as of a new one. */
function* checkRulesOf(node: Structural, path: Path, { resource }: Place): Steps<readonly FieldError[]> {
  const { default: value } = node.said;
  const subject = { node, value, path, old: new Correlation(node, value, value) };
  const unchanged = (yield* evaluateRules(subject, node === resource)).map(({ isForgiven: _, ...error }) => error);
  return unchanged.length ? unchanged : yield* evaluateRules({ ...subject, old: undefined }, node === resource);
}

function checkInMetadata(node: Structural, path: Path, { resource, surround }: Place): readonly FieldError[] {
  const { default: value } = node.said;
  const refuse = (why: string): readonly FieldError[] => [
    fieldErrors.invalid(path.text, sortedFields(value), `must result in valid metadata: ${why}`),
  ];
  try {
    const whole = prune(resource, surround(value)).value;
    const problems = checkResource(whole, new Path()).map(describeFieldError);
    if (!problems.length) return [];
    return refuse(problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`);
  } catch (error) {
    if (error instanceof DecodeError) return refuse(error.message);
    throw error;
  }
}
