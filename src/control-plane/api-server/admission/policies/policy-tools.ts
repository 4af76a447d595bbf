/** What admission policies work with. */
import type { KindSnapshot } from '../../../../api/kinds/kind-snapshot.ts';
import type { Authorize } from '../../authorization/decide.ts';
import type { ObjectReader } from '../../cache/reader.ts';
import type { AdmissionMetrics } from '../admission-metrics.ts';

export interface PolicyTools {
  readonly reader: ObjectReader;
  readonly authorize: Authorize;
  readonly served: () => KindSnapshot;
  readonly metrics: AdmissionMetrics;
}
