/** What webhook admission works with. */
import type { Random } from '../../../../client/clock.ts';
import type { Log } from '../../../../client/log.ts';
import type { WebhookClient } from '../../streaming/webhook-client.ts';
import type { PolicyTools } from '../policies/policy-tools.ts';

export interface WebhookTools extends PolicyTools {
  readonly client: Pick<WebhookClient, 'post'>;
  readonly random: Random;
  readonly log: Log;
}
