/**
 * MutatingAdmissionWebhook: the webhooks that a request concerns are asked one after the other, each with what the one
 * before it made of the object. What a patch makes is decoded, and gets its defaults.
 * Upstream: apiserver/pkg/admission/plugin/webhook/mutating.
 */
import { MutatingWebhookConfiguration } from '../../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../../api/meta/deep-equal.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import type { KubeObject } from '../../../../api/meta/object.ts';
import { errors, messageOf } from '../../../../api/meta/status-error.ts';
import { applyJsonPatch, type JsonPatchOperation } from '../../../../api/schema/json-patch.ts';
import { parseJSON } from '../../../../api/schema/json-scan.ts';
import { isJsonObject } from '../../../../api/schema/merge-patch.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import { takeInTurns } from '../../request/yield-turn.ts';
import type { AdmissionPlugin } from '../plugin.ts';
import { PolicyRequest } from '../policies/evaluation.ts';
import type { Shown } from './admission-review.ts';
import { askUnderPolicy, askWebhook, WebhookFailure } from './ask-webhook.ts';
import { type Hook, Hooks } from './hooks.ts';
import { meetsConditions } from './match-conditions.ts';
import { jsonPatch } from './review-answer.ts';
import { decodeChanged, inKind, shownType, showTo, withChangedManagers } from './shown-objects.ts';
import type { WebhookTools } from './webhook-tools.ts';

const name = 'MutatingAdmissionWebhook';
const mutationPrefix = 'mutation.webhook.admission.k8s.io/';
const badRequest = 400;
const patchPrefix = 'patch.webhook.admission.k8s.io/';

export function mutatingWebhooks(tools: WebhookTools): AdmissionPlugin {
  const hooks = new Hooks(tools.reader, tools.served, MutatingWebhookConfiguration);
  return {
    name,
    revision: () => hooks.revision(),
    handles: (kind, operation, subresource) => hooks.concerning({ kind, operation, subresource }).length > 0,
    async admit(request) {
      let { object } = request;
      const callees = request.reinvocation?.calleesOf(name, object);
      const seenBy = new PolicyRequest(tools, request);
      for (const { hook, kind } of hooks.concerning(request)) {
        const seen = { ...request, object };
        if (!hook.selects(seen, tools.reader)) continue;
        const shown = await showTo(seen, kind);
        if (!(await meetsConditions(tools, { hook, type: 'admit', request: seen, shown, seenBy }))) continue;
        if (callees?.isToAsk(hook.id) === false) continue;
        const mutated = await ask(tools, hook, { request: seen, shown });
        const changed = mutated !== object;
        object = mutated;
        callees?.asked(hook.id, { changed, reinvoke: hook.webhook.reinvocationPolicy === 'IfNeeded' });
      }
      callees?.leaves(object);
      return object;
    },
  };
}

/** The object as the webhook wants it; the very same one where it changes nothing. */
async function ask(
  tools: WebhookTools,
  hook: Hook,
  { request, shown }: { readonly request: AdmissionRequest; readonly shown: Shown },
): Promise<KubeObject | undefined> {
  const { object, reinvocation } = request;
  const { kind, object: before } = shown;
  const place = `round_${reinvocation?.isSecondRound ? 1 : 0}_index_${hook.index}`;
  const { configuration, webhook } = hook;
  const told = { configuration, webhook: webhook.name };
  let mutated = object;
  try {
    const call = { hook, request, type: 'admit', failedOpenKey: `failed-open.${mutationPrefix}${place}` } as const;
    const after = await askUnderPolicy(tools, call, async () => {
      const { patch, patchType } = await askWebhook(tools, hook, request, shown, true);
      const operations = patch ? parsePatch(hook, patch) : [];
      if (operations.length === 0) return before;
      if (patchType !== jsonPatch)
        throw new WebhookFailure(hook, `unsupported patch type ${JSON.stringify(patchType)}`, { code: badRequest });
      const target = { kind, subresource: request.subresource, object: before, isLarge: request.isLarge ?? false };
      const given = await patched(hook, target, operations);
      request.annotateDetail(`${patchPrefix}${place}`, () => describePatch(told, operations));
      return given;
    });
    if (after && after !== before) mutated = await inKind(withChangedManagers(after, before), kind, request.kind);
  } finally {
    request.annotate(`${mutationPrefix}${place}`, JSON.stringify({ ...told, mutated: mutated !== object }));
  }
  return mutated;
}

/** Fields in the order in which upstream has them. */
function describePatch(told: { readonly configuration: string; readonly webhook: string }, operations: readonly object[]): string {
  const patch = operations.map((each) => Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1))));
  return JSON.stringify({ ...told, patch, patchType: 'JSONPatch' });
}

/** In which errors of decoding name the kind of a body. */
const leadOfBodies = /^\S+ in version "[^"]*" cannot be handled as a \S+: /;

interface Target {
  readonly kind: Kind;
  readonly subresource: string | undefined;
  readonly object: KubeObject | undefined;
  readonly isLarge: boolean;
}

async function patched(
  { webhook }: Hook,
  { kind, subresource, object, isLarge }: Target,
  operations: readonly JsonPatchOperation[],
): Promise<KubeObject> {
  if (!object)
    throw errors.internal(
      `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`,
    );
  let after: KubeObject;
  try {
    const document = await takeInTurns(applyJsonPatch(object, operations), isLarge);
    const type = shownType(kind, subresource);
    after = await decodeChanged(document, { kind, type, fieldValidation: 'Ignore', isLarge });
  } catch (error) {
    throw errors.internal(messageOf(error).replace(leadOfBodies, ''));
  }
  return equalSemantically(object, after) ? object : after;
}

function parsePatch(hook: Hook, text: string): readonly JsonPatchOperation[] {
  try {
    const operations = parseJSON(text) ?? [];
    if (!Array.isArray(operations)) throw notOfType(operations, 'jsonpatch.Patch');
    for (const each of operations) if (each !== null && !isJsonObject(each)) throw notOfType(each, 'jsonpatch.Operation');
    return operations as readonly JsonPatchOperation[];
  } catch (cause) {
    throw new WebhookFailure(hook, `received undecodable patch in webhook response: ${messageOf(cause)}`, { code: 503, cause });
  }
}

function notOfType(value: unknown, goType: string): Error {
  const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return new Error(`json: cannot unmarshal ${what} into Go value of type ${goType}`);
}
