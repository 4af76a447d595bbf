/**
 * ValidatingAdmissionWebhook: all webhooks that a request concerns are asked at once; each has to allow it.
 * Upstream: apiserver/pkg/admission/plugin/webhook/validating.
 */
import { ValidatingWebhookConfiguration } from '../../../../api/generated/kinds.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import type { AdmissionPlugin } from '../plugin.ts';
import { PolicyRequest } from '../policies/evaluation.ts';
import type { Shown } from './admission-review.ts';
import { askUnderPolicy, askWebhook } from './ask-webhook.ts';
import { type Hook, Hooks } from './hooks.ts';
import { meetsConditions } from './match-conditions.ts';
import { showTo } from './shown-objects.ts';
import type { WebhookTools } from './webhook-tools.ts';

const failedOpenPrefix = 'failed-open.validating.webhook.admission.k8s.io/';

export function validatingWebhooks(tools: WebhookTools): AdmissionPlugin {
  const hooks = new Hooks(tools.reader, tools.served, ValidatingWebhookConfiguration);
  return {
    name: 'ValidatingAdmissionWebhook',
    revision: () => hooks.revision(),
    handles: (kind, operation, subresource) => hooks.concerning({ kind, operation, subresource }).length > 0,
    async validate(request) {
      const seenBy = new PolicyRequest(tools, request);
      const wanted: Asked[] = [];
      for (const { hook, kind } of hooks.concerning(request)) {
        if (!hook.selects(request, tools.reader)) continue;
        const shown = await showTo(request, kind);
        if (await meetsConditions(tools, { hook, type: 'validate', request, shown, seenBy })) wanted.push({ hook, shown });
      }
      const asked = await Promise.allSettled(wanted.map((each, i) => ask(tools, each, request, i)));
      for (const each of asked) if (each.status === 'rejected') throw each.reason;
    },
  };
}

interface Asked {
  readonly hook: Hook;
  readonly shown: Shown;
}

async function ask(tools: WebhookTools, { hook, shown }: Asked, request: AdmissionRequest, place: number): Promise<void> {
  const call = { hook, request, type: 'validating', failedOpenKey: `${failedOpenPrefix}round_0_index_${place}` } as const;
  await askUnderPolicy(tools, call, () => askWebhook(tools, hook, request, shown, false));
}
