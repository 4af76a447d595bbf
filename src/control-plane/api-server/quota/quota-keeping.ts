/**
 * The parts of quota put together: the ledger, the check of each write, and the status of the quota objects. Objects that
 * other servers hold are counted, and not refused: their writes are those servers' own. As upstream.
 */
import type { KindSnapshot } from '../../../api/kinds/kind-snapshot.ts';
import type { KindRef } from '../../../api/meta/object.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock, Random } from '../../../client/clock.ts';
import type { Log } from '../../../client/log.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { Allocator } from '../write/allocator.ts';
import type { ObjectOps } from '../write/object-ops.ts';
import { QuotaLedger } from './ledger.ts';
import { ObjectsElsewhere, withElsewhere } from './objects-elsewhere.ts';
import { QuotaStatus } from './quota-status.ts';
import { ResourceQuotas } from './resource-quota.ts';

export interface QuotaKeeping extends Disposable {
  readonly allocator: Allocator;
}

export function quotaKeeping(options: {
  readonly reader: ObjectReader;
  readonly ops: ObjectOps;
  readonly loopback: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly served: () => KindSnapshot;
  /** finds a served kind by `resource.group` */
  readonly kindOf: (resource: string) => KindRef | undefined;
}): QuotaKeeping {
  const { ops, loopback: client, clock, log, kindOf } = options;
  const elsewhere = new ObjectsElsewhere({ ...options, client });
  const reader = withElsewhere(options.reader, elsewhere);
  const status = new QuotaStatus({ reader, client, clock, log }, (quota) => ledger.account(quota));
  const ledger: QuotaLedger = new QuotaLedger({ reader, kindOf, changed: (quota) => status.changed(quota) });
  return {
    allocator: new ResourceQuotas(ledger, ops),
    [Symbol.dispose]() {
      ledger[Symbol.dispose]();
      elsewhere[Symbol.dispose]();
      status[Symbol.dispose]();
    },
  };
}
