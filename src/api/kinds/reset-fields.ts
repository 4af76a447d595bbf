/**
 * The fields that a write never owns, since it can't change them: through the object itself its status, through `status`
 * all but the status. Upstream: GetResetFields of pkg/registry/<group>/<resource>/strategy.go.
 */
import { type FieldSet, fieldSetOf } from '../apply/field-set.ts';
import { fieldElement } from '../apply/path-element.ts';
import { isCustom, type Kind } from '../meta/kind.ts';
import { own } from '../meta/words.ts';

const made = new WeakMap<Kind, Map<string, FieldSet>>();

/** `subresource`: '' for the object itself. */
export function resetFieldsOf(kind: Kind, subresource: string): FieldSet {
  let sets = made.get(kind);
  if (!sets) {
    sets = new Map();
    made.set(kind, sets);
  }
  let set = sets.get(subresource);
  if (!set) {
    const paths = own(kind.resetFields, subresource) ?? commonPaths(kind, subresource);
    set = fieldSetOf(...paths.map((path) => path.split('.').map(fieldElement)));
    sets.set(subresource, set);
  }
  return set;
}

function commonPaths(kind: Kind, subresource: string): readonly string[] {
  if (subresource === 'status') return isCustom(kind) ? ['metadata', 'spec'] : ['spec'];
  return subresource === 'finalize' || (subresource === '' && kind.subresources['status']) ? ['status'] : [];
}
