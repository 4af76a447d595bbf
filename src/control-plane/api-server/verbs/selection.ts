/**
 * What a list or watch selects: a namespace, label and field selectors, compiled once per request. What the cache can
 * look up (namespace, name, the indexed field) is taken out as the scope.
 */
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { type FieldRequirement, LabelMatcher, parseFieldSelector, parseLabelSelector, SelectorError } from '../../../api/meta/selectors.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { WatchScope } from '../cache/resource-cache.ts';
import type { ResourceRequest } from '../request/api-request.ts';

export interface Selection extends WatchScope {
  /** Absent: everything within the namespace. The object is in the kind's own version. */
  readonly matches?: ((object: KubeObject) => boolean) | undefined;
  /** A label or field selector is there, so counts of what remains are unknown. */
  readonly isFiltered: boolean;
}

export function parseSelection(request: ResourceRequest): Selection {
  const { options } = request;
  const { kind, namespace } = request.target;
  const labels = parse(() => (options.labelSelector ? parseLabelSelector(options.labelSelector) : LabelMatcher.everything));
  const fields = parse(() => (options.fieldSelector ? parseFieldSelector(options.fieldSelector) : []));
  const rules = fieldRules(kind, fields);
  const exact = (field: string): string | undefined => fields.find((t) => t.field === field && t.operator === '=' && t.value !== '')?.value;
  const scopedNamespace = kind.namespaced ? (namespace ?? exact('metadata.namespace')) : undefined;
  const name = exact('metadata.name') ?? request.target.name;
  const isFiltered = !labels.isEverything || fields.length > 0;
  const matches = compile(kind, labels, rules, request);
  const indexed = kind.indexedField === undefined ? undefined : exact(kind.indexedField);
  return {
    namespace: scopedNamespace,
    name,
    indexed,
    matches,
    isFiltered,
  };
}

function compile(
  kind: Kind,
  labels: LabelMatcher,
  fields: readonly FieldRule[],
  request: ResourceRequest,
): ((object: KubeObject) => boolean) | undefined {
  const tests: ((object: KubeObject) => boolean)[] = [];
  const { namespace, name } = request.target;
  if (kind.namespaced && namespace !== undefined) tests.push((object) => object.metadata.namespace === namespace);
  if (name !== undefined) tests.push((object) => object.metadata.name === name);
  for (const { get, wanted, refused } of fields) {
    tests.push((object) => {
      const value = get(object);
      return (wanted === undefined || wanted === value) && !refused.has(value);
    });
  }
  if (!labels.isEverything) tests.push((object) => labels.matches(object.metadata.labels));
  const [only] = tests;
  if (tests.length <= 1) return only;
  return (object) => tests.every((test) => test(object));
}

/** What all terms of one field say together. */
interface FieldRule {
  readonly get: (object: KubeObject) => string;
  wanted: string | undefined;
  readonly refused: Set<string>;
}

function fieldRules(kind: Kind, terms: readonly FieldRequirement[]): readonly FieldRule[] {
  const rules = new Map<string, FieldRule>();
  for (const { field, operator, value } of terms) {
    const rule = rules.get(field) ?? { get: fieldGetter(kind, field), wanted: undefined, refused: new Set() };
    rules.set(field, rule);
    if (operator === '!=') rule.refused.add(value);
    else if (rule.wanted === undefined || rule.wanted === value) rule.wanted = value;
    // Two values at once: none has both.
    else for (const both of [rule.wanted, value]) rule.refused.add(both);
  }
  return [...rules.values()];
}

function fieldGetter(kind: Kind, field: string): (object: KubeObject) => string {
  const getter = kind.selectableFields.get(field);
  if (!getter) throw errors.badRequest(kind.describeUnknownField(field));
  return getter;
}

function parse<T>(parser: () => T): T {
  try {
    return parser();
  } catch (error) {
    if (error instanceof SelectorError) throw errors.badRequest(error.message);
    throw error;
  }
}
