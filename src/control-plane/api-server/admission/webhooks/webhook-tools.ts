/** What webhook admission works with. */
import type { KindSnapshot } from '../../../../api/kinds/kind-snapshot.ts';
import type { Log } from '../../../../client/log.ts';
import type { ObjectReader } from '../../cache/reader.ts';
import type { Asking } from './ask-webhook.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';

export interface WebhookTools extends Asking {
  readonly reader: ObjectReader;
  readonly served: () => KindSnapshot;
  readonly log: Log;
  readonly metrics: WebhookMetrics;
}
