/** What admission plugins work with. */
import type { Client } from '../../../client/client.ts';
import type { Clock, Random } from '../../../client/clock.ts';
import type { BindingIndex } from '../authorization/binding-index.ts';
import type { Authorize } from '../authorization/decide.ts';
import type { RBAC } from '../authorization/rbac.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { WebhookTools } from './webhooks/webhook-tools.ts';

export interface AdmissionTools {
  readonly reader: ObjectReader;
  readonly loopback: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly authorize: Authorize;
  readonly rbac: RBAC;
  readonly bindings: BindingIndex;
  readonly webhooks?: WebhookTools | undefined;
}
