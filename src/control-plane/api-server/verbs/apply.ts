/**
 * PATCH of the type apply: who applies owns what he applies, and what he does not apply any more goes unless others own
 * it (api/apply). What is not there is created. The result goes the way of an update.
 * Upstream: apiserver/pkg/endpoints/handlers/patch.go (applyPatcher), apimachinery/pkg/util/managedfields/internal.
 */
import { type Applied, ApplyConflict, applyObject, type Take } from '../../../api/apply/apply-object.ts';
import { compareOwnable, type TypeVersions } from '../../../api/apply/change-managers.ts';
import { type ManagerName, type Managers, nobody } from '../../../api/apply/managers.ts';
import { type Json, TypedError } from '../../../api/apply/structure.ts';
import type { Scale } from '../../../api/generated/autoscaling-v1.ts';
import { strategyOf } from '../../../api/kinds/update-strategy.ts';
import { withDefaults, withNames } from '../../../api/kinds/write-steps.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors, isStatusError, StatusError } from '../../../api/meta/status-error.ts';
import { takeSteps } from '../../../api/meta/steps.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { own } from '../../../api/meta/words.ts';
import { type BodyType, bodyTypeOf } from '../../../api/schema/body.ts';
import { DecodeError, decode } from '../../../api/schema/decode.ts';
import { isJsonObject } from '../../../api/schema/merge-patch.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { isLarge, takeInTurns, yieldTurn } from '../request/yield-turn.ts';
import { conflictError } from '../write/apply-conflict.ts';
import { checkName } from '../write/check-name.ts';
import { checkWriteOptions, scaleType } from '../write/decode.ts';
import { conflictsBeside, kubectlManager, withLastApplied } from '../write/last-applied.ts';
import { managersOf, renderInSteps } from '../write/managed-entries.ts';
import { afterChange, emptyObject, typeOf, typeVersions, writerOf } from '../write/own.ts';
import { describeType, readApplied } from '../write/read-applied.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { createObject } from './create.ts';
import { changeScale, scaleTypes, scaleWriter } from './scale.ts';
import { type Transformed, updateObject } from './update-object.ts';

/** Who owns what an object had before somebody applied it, where nobody did. */
const beforeFirstApply = 'before-first-apply';
/** An object that others create and delete as often in a row is left to them. */
const attemptsMax = 10;

export async function apply(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const { kind, subresource, name = '' } = request.target;
  if (subresource === 'scale') return applyScale(server, request);
  const fieldValidation = checkWriteOptions(request);
  const served = server.kinds.of(kind);
  const strategy = strategyOf(kind, subresource);
  const read = await readApplied(request, kind, fieldValidation);
  for (let attempt = 1; ; attempt++) {
    const stored = await updateObject(server, {
      served,
      request,
      name,
      strategy,
      transform: async (current, { stored: { managed }, large }) => {
        const applied = await read();
        const types = typeVersions(server.kinds, kind, subresource);
        if (large) await yieldTurn();
        const known = { types, live: json(current), managers: managersOf(managed) };
        if (large) await yieldTurn();
        const managers = await ownedBefore(server, writerOf(request, 'Apply'), known, {
          empty: json(emptyObject(kind)),
          take: taking(large),
        });
        return applyTo(server, request, { live: current, managers, applied, large });
      },
    });
    if (stored) return { type: 'object', code: 200, stored: served.asServed(stored) };
    if (subresource) throw errors.notFound(kind, name);
    try {
      const large = isLarge(request);
      const applied = await read();
      const { object, ownership } = await applyTo(server, request, { live: emptyObject(kind), managers: nobody, applied, large });
      const created = await createObject(server, served, request, withNames(object, kind), ownership);
      return { type: 'object', code: 201, stored: served.asServed(created) };
    } catch (error) {
      if (!isStatusError(error) || error.reason !== 'AlreadyExists' || attempt === attemptsMax) throw error;
    }
  }
}

async function applyScale(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const type = bodyTypeOf(scaleType);
  const read = await readApplied(request, type, checkWriteOptions(request));
  return await changeScale(server, request, async (current, managers) => {
    const applied = await read();
    const by = scaleWriter(request, 'Apply');
    const live = json(current);
    const known = { types: scaleTypes, live, managers };
    const owners = await ownedBefore(server, by, known, { empty: json(decode(type.schema, {}).value), take: takeSteps });
    const { object, managers: after } = await applyWithWords(server, request, { ...known, managers: owners, applied, by, take: takeSteps });
    const scale = object ? (decodeMerged(type, object, applied) as unknown as Scale) : current;
    return { scale, managers: after };
  });
}

/** What is applied to, and who owns what of it. */
interface Live {
  readonly types: TypeVersions;
  readonly live: Json;
  readonly managers: Managers;
}

const taking =
  (large: boolean): Take =>
  (steps) =>
    takeInTurns(steps, large);

interface Before {
  /** what the object is when nothing is said */
  readonly empty: Json;
  readonly take: Take;
}

/** Of an object that nobody has owned fields of, all that it has is somebody's. */
async function ownedBefore(
  server: VerbContext,
  by: ManagerName,
  { types, live, managers }: Live,
  { empty, take }: Before,
): Promise<Managers> {
  if (managers.size > 0) return managers;
  const change = { before: empty, after: live };
  const comparison = await take(compareOwnable(typeOf(types), change));
  const before: ManagerName = { ...by, manager: beforeFirstApply, operation: 'Update' };
  return await take(afterChange(server, { types, change, managers, comparison, by: before }));
}

const json = (object: object): Json => object as Json;

async function applyTo(
  server: VerbContext,
  request: ResourceRequest,
  {
    live,
    managers,
    applied,
    large,
  }: { readonly live: KubeObject; readonly managers: Managers; readonly applied: Json; readonly large: boolean },
): Promise<Transformed> {
  const { kind, subresource } = request.target;
  const types = typeVersions(server.kinds, kind, subresource);
  const by = writerOf(request, 'Apply');
  const take = taking(large);
  const result = await applyWithWords(server, request, { types, live: json(live), managers, applied, by, take });
  if (large) await yieldTurn();
  const merged = (result.object as unknown as KubeObject | undefined) ?? live;
  const annotated = by.manager === kubectlManager ? withLastApplied(merged, applied) : merged;
  const decoded = annotated === live ? live : (decodeMerged(kind, json(annotated), applied) as unknown as KubeObject);
  const object = annotated === live ? live : await takeInTurns(withDefaults(kind, decoded), large);
  checkCreated(request, live, object);
  checkName(object, request);
  return { object, ownership: { part: await take(renderInSteps(result.managers)) } };
}

interface Applying extends Live {
  readonly applied: Json;
  readonly by: ManagerName;
  readonly take: Take;
}

/** Failures are told as clients are told of them. */
async function applyWithWords(server: VerbContext, { options }: ResourceRequest, applying: Applying): Promise<Applied> {
  const { types, live, applied, by, take } = applying;
  const given = { ...applying, time: formatTime(server.clock.now()), force: options.force ?? false };
  try {
    return await applyObject(given, take);
  } catch (error) {
    if (error instanceof TypedError) throw internal(`failed to create typed patch object (${describeObject(applied)}): ${error.message}`);
    if (!(error instanceof ApplyConflict)) throw error;
    const { conflicts } = error;
    const left = by.manager === kubectlManager ? conflictsBeside(conflicts, typeOf(types).schema, live) : conflicts;
    if (left.length > 0) throw conflictError(left);
    return await applyObject({ ...given, force: true }, take);
  }
}

const internal = (message: string): StatusError => new StatusError({ code: 500, reason: '', message });

function describeObject(object: Json): string {
  const metadata = own(object, 'metadata');
  const { namespace = '', name = '' } = (isJsonObject(metadata) ? metadata : {}) as { readonly namespace?: string; readonly name?: string };
  return `${namespace}/${name}; ${describeType(object)}`;
}

/** As every object that is written; what applies is of the type already, but need not be in its canonical form. */
function decodeMerged({ schema }: Pick<BodyType, 'schema'>, merged: Json, applied: Json): Json {
  try {
    return decode(schema, merged).value;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const why = `unable to convert unstructured object to ${describeType(applied)}: ${error.message}`;
    throw internal(`failed to convert new object (${describeObject(applied)}) to proper version: ${why}`);
  }
}

function checkCreated({ target }: ResourceRequest, live: KubeObject, { metadata }: KubeObject): void {
  if (live.metadata.uid || !metadata.uid) return;
  const why = `uid mismatch: the provided object specified uid ${metadata.uid}, and no existing object was found`;
  throw errors.conflict(target.kind, target.name ?? '', why);
}
