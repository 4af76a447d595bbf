/**
 * PATCH: the current object, changed as the patch says, goes the way of an update. A lost race is retried with the
 * newer object unless the patch itself names a resourceVersion.
 * Server-side apply is a verb of its own (apply.ts).
 * Upstream: apiserver/pkg/endpoints/handlers/patch.go.
 */
import type { Scale } from '../../../api/generated/autoscaling-v1.ts';
import { strategyOf } from '../../../api/kinds/update-strategy.ts';
import { withDefaults } from '../../../api/kinds/write-steps.ts';
import { isCustom } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { type BodyType, bodyTypeOf, type FieldValidation } from '../../../api/schema/body.ts';
import { applyPatch, checkPatchedValues, decodePatched, type ParsedPatch, parsePatch } from '../../../api/schema/patch.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { unsupportedPatch } from '../request/refusals.ts';
import { isLarge, takeInTurns, yieldTurn } from '../request/yield-turn.ts';
import { checkName } from '../write/check-name.ts';
import { checkWriteOptions, scaleType } from '../write/decode.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { apply } from './apply.ts';
import { changeScale } from './scale.ts';
import { type ObjectUpdate, updateObject } from './update-object.ts';

export async function patch(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const { kind, subresource, name = '' } = request.target;
  if (request.body?.patchType?.() === 'apply') return apply(server, request);
  const given = await readPatch(request);
  const fieldValidation = checkWriteOptions(request);
  if (subresource === 'scale') {
    const type = bodyTypeOf(scaleType);
    return changeScale(server, request, async (current) => {
      const object = await patched(request, given, { type, current: current as KubeObject, isLarge: isLarge(request), fieldValidation });
      return { scale: object as unknown as Scale };
    });
  }
  const served = server.kinds.of(kind);
  const strategy = strategyOf(kind, subresource);
  const transform: ObjectUpdate['transform'] = async (current, { stored, large }) => {
    const seen = namesManagedFields(request) ? served.asServed(stored).whole : current;
    const decoded = await patched(request, given, { type: kind, current: seen, isLarge: large, fieldValidation });
    if (large) await yieldTurn();
    const object = await takeInTurns(withDefaults(kind, decoded), large);
    checkName(object, request);
    return { object };
  };
  const stored = await updateObject(server, { served, request, name, strategy, transform });
  if (!stored) throw errors.notFound(kind, name);
  return { type: 'object', code: 200, stored: served.asServed(stored) };
}

/** Operations look at what is there, and may copy it. */
const namesManagedFields = ({ body, sent }: ResourceRequest): boolean =>
  body?.patchType?.() === 'json' && typeof sent === 'string' && sent.includes('managedFields');

const noStrategicPatch =
  'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';

/** Parsed when there is an object to change: of one that is absent, that it is not there is all that is told. */
async function readPatch(request: ResourceRequest): Promise<() => Promise<ParsedPatch>> {
  const type = request.body?.patchType?.();
  if (!type || type === 'apply') throw unsupportedPatch();
  if (type === 'strategic' && isCustom(request.target.kind)) throw errors.unsupportedMediaType(noStrategicPatch);
  const content = (await request.body?.read()) ?? { text: '' };
  const text = 'text' in content ? content.text : JSON.stringify(content.value);
  request.sent = text;
  let patch: ParsedPatch | undefined;
  return async () => {
    if (patch) return patch;
    const large = isLarge(request);
    if (large) await yieldTurn();
    patch = parsePatch(type, text);
    if (large) await yieldTurn();
    return patch;
  };
}

interface Patched {
  readonly type: BodyType;
  readonly current: KubeObject;
  readonly isLarge: boolean;
  readonly fieldValidation: FieldValidation;
}

async function patched(request: ResourceRequest, parse: () => Promise<ParsedPatch>, on: Patched): Promise<KubeObject> {
  const given = await parse();
  const document = await takeInTurns(applyPatch(given, on.type, on.current), on.isLarge);
  if (on.isLarge || given.type === 'json') checkPatchedValues(document);
  if (on.isLarge) await yieldTurn();
  const { object, warnings } = await takeInTurns(decodePatched(given, on.type, document, on.fieldValidation), on.isLarge);
  for (const warning of warnings) request.warn(warning);
  return object;
}
