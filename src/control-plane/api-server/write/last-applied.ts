/**
 * The annotation in which kubectl's client-side apply keeps what it applied. When kubectl applies on the server, fields
 * that this annotation shows to be its own are no conflict, and an annotation that is there is kept up to date.
 * Upstream: apimachinery/pkg/util/managedfields/internal (lastappliedmanager.go, lastappliedupdater.go).
 */
import type { Conflict } from '../../../api/apply/change-managers.ts';
import { checkTyped } from '../../../api/apply/check-typed.ts';
import { compareObjects } from '../../../api/apply/compare.ts';
import { differenceOf, type FieldSet, isEmpty } from '../../../api/apply/field-set.ts';
import { fieldsOf } from '../../../api/apply/fields-of.ts';
import { type Json, TypedError } from '../../../api/apply/structure.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { own } from '../../../api/meta/words.ts';
import { JsonSyntaxError, parseJSON } from '../../../api/schema/json-scan.ts';
import { isJsonObject } from '../../../api/schema/merge-patch.ts';
import { validateAnnotations } from '../../../api/schema/metadata.ts';
import type { Schema } from '../../../api/schema/types.ts';

/** The manager as whom kubectl applies. */
export const kubectlManager = 'kubectl';
const annotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** Those of the conflicts that are not with what kubectl has applied by itself. */
export function conflictsBeside(conflicts: readonly Conflict[], schema: Schema, live: Json): readonly Conflict[] {
  const mine = fieldsOfLastApplied(schema, live);
  if (!mine) return conflicts;
  return conflicts.map(({ manager, fields }) => ({ manager, fields: differenceOf(fields, mine) })).filter(({ fields }) => !isEmpty(fields));
}

/** The fields of the annotation whose values the object still has. Undefined: there is none that can be read. */
function fieldsOfLastApplied(schema: Schema, live: Json): FieldSet | undefined {
  const text = own((live as unknown as KubeObject).metadata.annotations, annotation);
  if (!text) return undefined;
  try {
    const applied = parseJSON(text);
    if (!isJsonObject(applied) || applied['apiVersion'] !== live['apiVersion']) return undefined;
    checkTyped(schema, applied);
    const { added, modified, removed } = compareObjects(schema, applied, live);
    return [modified, added, removed].reduce(differenceOf, fieldsOf(schema, applied));
  } catch (error) {
    if (error instanceof TypedError || error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

/** The object with what kubectl applies now in its annotation, if it has one. */
export function withLastApplied<T extends KubeObject>(object: T, applied: Json): T {
  const { annotations } = object.metadata;
  if (!own(annotations, annotation)) return object;
  const kept: Record<string, string> = { ...annotations, [annotation]: `${JSON.stringify(inOrder(withoutAnnotation(applied)))}\n` };
  if (validateAnnotations(kept, '').length > 0) delete kept[annotation];
  return { ...object, metadata: { ...object.metadata, annotations: kept } };
}

function withoutAnnotation(applied: Json): Json {
  const metadata = own(applied, 'metadata');
  const annotations = isJsonObject(metadata) ? own(metadata, 'annotations') : undefined;
  if (!isJsonObject(metadata) || !isJsonObject(annotations)) return applied;
  const { [annotation]: _, ...kept } = annotations;
  return { ...applied, metadata: { ...metadata, annotations: kept } };
}

/** As Go writes maps: by their keys. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, inOrder(part)]));
}
