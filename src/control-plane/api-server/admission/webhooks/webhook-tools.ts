/** What webhook admission works with. */
import type { KindSnapshot } from '../../../../api/kinds/kind-snapshot.ts';
import type { Random } from '../../../../client/clock.ts';
import type { Log } from '../../../../client/log.ts';
import type { ObjectReader } from '../../cache/reader.ts';
import type { WebhookClient } from '../../streaming/webhook-client.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';

export interface WebhookTools {
  readonly client: Pick<WebhookClient, 'post'>;
  readonly random: Random;
  readonly reader: ObjectReader;
  readonly served: () => KindSnapshot;
  readonly log: Log;
  readonly metrics: WebhookMetrics;
}
