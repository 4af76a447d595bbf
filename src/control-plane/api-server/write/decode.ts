/** From the body of a request to an object of the expected kind: its type checked, its defaults filled in. */
import type { Scale } from '../../../api/generated/autoscaling-v1.ts';
import { withDefaults, withNames } from '../../../api/kinds/write-steps.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { type FieldError, fieldErrors } from '../../../api/meta/status-error.ts';
import { own } from '../../../api/meta/words.ts';
import {
  type BodyType,
  bodyTypeOf,
  decodeBodyInSteps,
  type FieldValidation,
  parseBodyInSteps,
  parseFieldValidation,
} from '../../../api/schema/body.ts';
import { validateFieldManager } from '../../../api/schema/metadata.ts';
import type { GroupVersionKind } from '../../../api/schema/types.ts';
import type { BodyContent, ResourceRequest } from '../request/api-request.ts';
import { refuse } from '../request/refusals.ts';
import { isLarge, takeInTurns, yieldTurn } from '../request/yield-turn.ts';

type Json = Record<string, unknown>;

const optionsKinds: Readonly<Record<string, string>> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
};

/** The query of a write. Throws Invalid. */
export function checkWriteOptions(request: ResourceRequest): FieldValidation {
  const { dryRun, fieldManager, fieldValidation, force } = request.options;
  const kind = own(optionsKinds, request.verb) ?? 'UpdateOptions';
  const isApply = request.verb === 'patch' && request.body?.patchType?.() === 'apply';
  if (dryRun || fieldManager || force !== undefined || isApply) {
    const found: FieldError[] = [];
    if (isApply && !fieldManager) found.push(fieldErrors.required('fieldManager', 'is required for apply patch'));
    if (force !== undefined && !isApply) found.push(fieldErrors.forbidden('force', 'may not be specified for non-apply patch'));
    found.push(...validateFieldManager(fieldManager ?? '', 'fieldManager'));
    if (dryRun?.some((value) => value !== 'All')) found.push(fieldErrors.notSupported('dryRun', dryRun, ['All']));
    refuse({ group: 'meta.k8s.io', kind }, '', found);
  }
  return parseFieldValidation(fieldValidation, kind);
}

/** The body as an object of the kind, with its defaults. */
export async function decodeObject(request: ResourceRequest, kind: Kind): Promise<KubeObject> {
  const decoded = await decodeAs(request, kind);
  const object = await takeInTurns(withDefaults(kind, withNames(decoded, kind)), isLarge(request));
  request.sent = object;
  return object;
}

/** The body as an object of a type that need not be a kind of its own: Scale, Binding, TokenRequest. */
export async function decodeBodyAs(request: ResourceRequest, gvk: GroupVersionKind): Promise<KubeObject> {
  const object = await decodeAs(request, bodyTypeOf(gvk));
  request.sent = object;
  return object;
}

export async function decodeScale(request: ResourceRequest): Promise<Scale> {
  return (await decodeBodyAs(request, scaleType)) as unknown as Scale;
}
export const scaleType: GroupVersionKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

async function decodeAs(request: ResourceRequest, type: BodyType): Promise<KubeObject> {
  const content: BodyContent = (await request.body?.read()) ?? { text: '' };
  const large = isLarge(request);
  if (large) await yieldTurn();
  const isText = 'text' in content;
  const value = isText ? await takeInTurns(parseBodyInSteps(content.text, type.kind), large) : ((content.value ?? {}) as Json);
  const fieldValidation = checkWriteOptions(request);
  const how = isText ? { fieldValidation, text: content.text } : { fieldValidation, copy: !content.isOwn, problems: content.problems };
  const { object, warnings } = await takeInTurns(decodeBodyInSteps(type, value, how), large);
  for (const warning of warnings) request.warn(warning);
  return object;
}
