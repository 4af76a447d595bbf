/**
 * What a webhook answers: first whether that is an AdmissionReview at all, as Go would read it, then what it says.
 * Upstream: apiserver/pkg/admission/plugin/webhook/request/admissionreview.go, api/admission/v1/types.go.
 */
import type { Status } from '../../../../api/generated/meta-v1.ts';
import { versionOf } from '../../../../api/meta/object.ts';
import { decode } from '../../../../api/schema/decode.ts';
import { type FieldSchema, type ObjectSchema, objectSchema, type Schema } from '../../../../api/schema/types.ts';
import type { ReviewName, ReviewVersion } from './admission-review.ts';

export const jsonPatch = 'JSONPatch';

export interface ReviewAnswer {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly response?: {
    readonly uid?: string;
    readonly allowed?: boolean;
    readonly status?: Partial<Status>;
    /** base64 */
    readonly patch?: string;
    readonly patchType?: string;
    readonly auditAnnotations?: Readonly<Record<string, string>>;
    readonly warnings?: readonly string[];
  };
}

const field = (name: string, schema: Schema, goType: string): FieldSchema => ({
  name,
  schema,
  goType,
  required: false,
  presence: 'kept',
  patchStrategy: [],
});
const struct = (name: string, ...fields: readonly FieldSchema[]): ObjectSchema => ({
  type: 'object',
  name: `io.k8s.api.admission.v1.${name}`,
  fields: new Map(fields.map((each) => [each.name, each])),
  preserveUnknown: false,
  atomic: false,
  gvks: [],
  unions: [],
});
const string = { type: 'string' } as const;

function makeSchema(): ObjectSchema {
  const response = struct(
    'AdmissionResponse',
    field('uid', string, 'types.UID'),
    field('allowed', { type: 'boolean' }, 'bool'),
    field('status', objectSchema('io.k8s.apimachinery.pkg.apis.meta.v1.Status'), 'v1.Status'),
    field('patch', { type: 'bytes' }, '[]uint8'),
    field('patchType', string, 'v1.PatchType'),
    field('auditAnnotations', { type: 'map', values: string, atomic: false }, 'map[string]string'),
    field('warnings', { type: 'list', items: string, listType: 'atomic', listMapKeys: [] }, '[]string'),
  );
  return struct(
    'AdmissionReview',
    field('kind', string, 'string'),
    field('apiVersion', string, 'string'),
    field('response', response, 'v1.AdmissionResponse'),
  );
}
let made: ObjectSchema | undefined;

/** Throws an Error in Go's words for what is no AdmissionReview of the version. */
export function decodeReview(version: ReviewVersion, answer: unknown): ReviewAnswer {
  if (typeof answer !== 'object' || Array.isArray(answer)) {
    const what = Array.isArray(answer) ? 'array' : typeof answer === 'boolean' ? 'bool' : typeof answer;
    throw new Error(`couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type ${typeMeta}`);
  }
  made ??= makeSchema();
  const review: ReviewAnswer = decode(made, (answer ?? {}) as Record<string, unknown>).value;
  checkType(version, review);
  return review;
}

const typeMeta = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** What does not say what it is, is what was asked for. */
function checkType(version: ReviewVersion, { kind = 'AdmissionReview', apiVersion = `${group}/${version}` }: ReviewAnswer): void {
  if (apiVersion === `${group}/${version}` && kind === 'AdmissionReview') return;
  const isReview = kind === 'AdmissionReview' && (apiVersion === `${group}/v1` || apiVersion === `${group}/v1beta1`);
  if (!isReview && kind !== 'Status')
    throw new Error(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "${scheme}"`);
  const said = `${versionOf(apiVersion)}.${kind}`;
  throw new Error(`converting (${said}) to (${version}.AdmissionReview): unknown conversion`);
}
const group = 'admission.k8s.io';
const scheme = 'pkg/runtime/scheme.go:111';

/** What a webhook answered. */
export interface Verdict {
  readonly allowed: boolean;
  /** the text of a patch, or '' */
  readonly patch: string;
  readonly patchType: string | undefined;
  readonly result: Partial<Status> | undefined;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** Throws an Error that says what is wrong with the answer. */
export function readVerdict(
  { version, uid }: ReviewName,
  { kind = '', apiVersion = '', response }: ReviewAnswer,
  mutating: boolean,
): Verdict {
  if (!response) throw new Error('webhook response was absent');
  const { uid: given = '', allowed = false, patch = '', patchType, status, warnings = [], auditAnnotations = {} } = response;
  if (version === 'v1') {
    if (given !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(given)}`);
    if (!kind)
      throw new Error(`expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${apiVersion || '/'}, Kind=${kind}`);
    checkPatchType(patch, patchType, mutating);
  }
  return {
    allowed,
    patch: mutating ? Buffer.from(patch, 'base64').toString() : '',
    patchType: version === 'v1' ? patchType : jsonPatch,
    result: status,
    warnings,
    auditAnnotations,
  };
}

function checkPatchType(patch: string, patchType: string | undefined, mutating: boolean): void {
  if (!mutating && patch) throw new Error('validating webhook may not return response.patch');
  if (!mutating && patchType !== undefined) throw new Error('validating webhook may not return response.patchType');
  if (patch && patchType === undefined) throw new Error('webhook returned response.patch but not response.patchType');
  if (!patch && patchType !== undefined) throw new Error('webhook returned response.patchType but not response.patch');
  if (patchType === '') throw new Error('webhook returned invalid response.patchType of ""');
}
