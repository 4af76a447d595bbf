/** What admission plugins work with. */
import type { Client } from '../../../client/client.ts';
import type { Clock, Random } from '../../../client/clock.ts';
import type { BindingIndex } from '../authorization/binding-index.ts';
import type { RBAC } from '../authorization/rbac.ts';
import type { PolicyTools } from './policies/policy-tools.ts';
import type { WebhookTools } from './webhooks/webhook-tools.ts';

export interface AdmissionTools extends PolicyTools {
  readonly loopback: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly rbac: RBAC;
  readonly bindings: BindingIndex;
  readonly webhooks?: WebhookTools | undefined;
}
