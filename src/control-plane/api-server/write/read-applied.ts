/**
 * The body of an apply: part of an object of the kind, in YAML or, which is a part of that, JSON. Its values are looked
 * at when they are merged. Upstream: apiserver/pkg/endpoints/handlers/patch.go (applyPatcher), sigs.k8s.io/yaml.
 */

import type { Json } from '../../../api/apply/structure.ts';
import { apiVersionOf } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { Steps } from '../../../api/meta/steps.ts';
import { own } from '../../../api/meta/words.ts';
import { bodyValuesMax, checkBodyValues, type FieldValidation, tooManyValues } from '../../../api/schema/body.ts';
import { JsonSyntaxError, mayHaveDuplicates, parseJSON } from '../../../api/schema/json-scan.ts';
import { isJsonObject } from '../../../api/schema/merge-patch.ts';
import type { GroupVersionKind } from '../../../api/schema/types.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { isLarge, takeInTurns, yieldTurn } from '../request/yield-turn.ts';

/** Of all texts that come out of a body in YAML, as large as a body may be. */
const charactersMax = 3 * 1024 * 1024;

interface Read {
  readonly value: unknown;
  /** keys that stand there twice */
  readonly duplicates: readonly string[];
}

/** Reads the body; the function checks it, the first time that somebody asks for it. Throws BadRequest. */
export async function readApplied(
  request: ResourceRequest,
  type: GroupVersionKind,
  fieldValidation: FieldValidation,
): Promise<() => Promise<Json>> {
  const content = (await request.body?.read()) ?? { text: '' };
  const text = 'text' in content ? content.text : JSON.stringify(content.value);
  request.sent = text;
  let applied: Json | undefined;
  return async () => {
    if (applied) return applied;
    if (isLarge(request)) await yieldTurn();
    const { value, duplicates } = (await takeInTurns(readJson(text), isLarge(request))) ?? (await readYamlText(text));
    applied = checkApplied(value, type);
    if (duplicates.length > 0) reportDuplicates(request, duplicates, fieldValidation);
    return applied;
  };
}

/** Undefined: it is no JSON, or has something twice, which is told in the words of YAML. */
function* readJson(text: string): Steps<Read | undefined> {
  if (!text.startsWith('{')) return undefined;
  checkBodyValues(text);
  yield;
  try {
    const value = parseJSON(text);
    yield;
    return mayHaveDuplicates(text, countFields(value)) ? undefined : { value, duplicates: [] };
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

function countFields(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countFields(item), 0);
  if (!isJsonObject(value)) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + 1 + countFields(item), 0);
}

async function readYamlText(text: string): Promise<Read> {
  const { readYaml, YamlError, YamlTooLargeError } = await import('../../../api/schema/yaml/read-yaml.ts');
  try {
    const reading = readYaml(text, { values: bodyValuesMax, characters: charactersMax });
    let step = reading.next();
    for (; !step.done; step = reading.next()) await yieldTurn();
    return step.value;
  } catch (error) {
    if (error instanceof YamlTooLargeError) throw tooManyValues();
    if (error instanceof YamlError) throw errors.badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
    throw error;
  }
}

function checkApplied(value: unknown, type: GroupVersionKind): Json {
  if (value !== null && !isJsonObject(value)) {
    const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    const why = `json: cannot unmarshal ${what} into Go value of type map[string]interface {}`;
    throw errors.badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`);
  }
  const applied = value ?? {};
  const [apiVersion, kind] = [own(applied, 'apiVersion'), own(applied, 'kind')];
  if (apiVersion !== apiVersionOf(type) || kind !== type.kind) throw errors.badRequest(`invalid object type: ${describeType(applied)}`);
  const metadata = own(applied, 'metadata');
  const fields = isJsonObject(metadata) ? own(metadata, 'managedFields') : undefined;
  if (fields !== undefined && fields !== null) throw errors.badRequest('metadata.managedFields must be nil');
  return applied;
}

/** `apps/v1, Kind=Deployment` */
export function describeType(object: Json): string {
  const [apiVersion = '', kind = ''] = [own(object, 'apiVersion'), own(object, 'kind')].map((word) =>
    typeof word === 'string' ? word : '',
  );
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}

function reportDuplicates(request: ResourceRequest, duplicates: readonly string[], fieldValidation: FieldValidation): void {
  if (fieldValidation === 'Ignore') return;
  const all = `error converting YAML to JSON: yaml: unmarshal errors:\n  ${duplicates.join('\n  ')}`;
  if (fieldValidation === 'Strict') throw errors.badRequest(`error strict decoding YAML: ${all}`);
  for (const duplicate of duplicates) request.warn(duplicate);
}
