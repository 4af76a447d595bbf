/**
 * How much of each ResourceQuota is used as of the watch cache's revision, kept current by following it. A kind is
 * followed from the moment on that some quota counts it; a cluster without quotas pays nothing.
 */

import { ResourceQuota } from '../../../api/generated/kinds.ts';
import { isKind, type KindRef, type KubeObject } from '../../../api/meta/object.ts';
import { addQuantities, subtractQuantities } from '../../../api/meta/quantity.ts';
import { own, put } from '../../../api/meta/words.ts';
import type { ResourceList } from '../../../api/predicates/pod-resources.ts';
import type { ObjectReader } from '../cache/reader.ts';
import { isInScope, quotaUsageOf, resourceName, resourceOfName } from './usage.ts';

/** One quota, and what its namespace uses of it. */
export interface Account {
  readonly quota: ResourceQuota;
  /** every name of spec.hard */
  readonly used: ResourceList;
}

interface OwnAccount extends Account {
  quota: ResourceQuota;
  used: Record<string, string>;
}

const isQuotaOf = (account: Account, kind: KindRef, object: KubeObject): boolean =>
  isKind(kind, ResourceQuota) && account.quota.metadata.name === object.metadata.name;

export class QuotaLedger implements Disposable {
  readonly #reader: ObjectReader;
  readonly #kindOf: (resource: string) => KindRef | undefined;
  readonly #changed: (quota: ResourceQuota) => void;
  readonly #accounts = new Map<string, Map<string, OwnAccount>>();
  readonly #followed = new Map<string, Disposable>();
  readonly #followingQuotas: Disposable;

  /** `kindOf` finds a kind by `resource.group`; `changed` is called when a quota's usage or limits changed. */
  constructor(options: {
    readonly reader: ObjectReader;
    readonly kindOf: (resource: string) => KindRef | undefined;
    readonly changed: (quota: ResourceQuota) => void;
  }) {
    this.#reader = options.reader;
    this.#kindOf = options.kindOf;
    this.#changed = options.changed;
    this.#followingQuotas = options.reader.follow(ResourceQuota, (quota, old) => {
      if (!quota) this.#close(old);
      else if (!old || old.spec !== quota.spec) this.#open(quota);
      else this.#replace(quota);
    });
  }

  has(namespace: string): boolean {
    return this.#accounts.has(namespace);
  }

  of(namespace: string): Iterable<Account> {
    return this.#accounts.get(namespace)?.values() ?? [];
  }

  account(quota: ResourceQuota): Account | undefined {
    return this.#accounts.get(quota.metadata.namespace)?.get(quota.metadata.name);
  }

  [Symbol.dispose](): void {
    this.#followingQuotas[Symbol.dispose]();
    for (const each of this.#followed.values()) each[Symbol.dispose]();
  }

  #open(quota: ResourceQuota): void {
    const { namespace, name } = quota.metadata;
    const accounts = this.#accounts.get(namespace) ?? new Map<string, OwnAccount>();
    this.#accounts.set(namespace, accounts);
    const names = Object.keys(quota.spec?.hard ?? {});
    const used: Record<string, string> = Object.fromEntries(names.map((each) => [each, '0']));
    const account: OwnAccount = { quota, used };
    for (const resource of new Set(names.map(resourceOfName))) {
      const kind = resource === undefined ? undefined : this.#kindOf(resource);
      if (!kind) continue;
      for (const object of this.#reader.list(kind, namespace)) this.#charge(account, kind, { object, add: true });
      this.#follow(kind);
    }
    accounts.set(name, account);
    this.#changed(quota);
  }

  #replace(quota: ResourceQuota): void {
    const account = this.#accounts.get(quota.metadata.namespace)?.get(quota.metadata.name);
    if (!account) return;
    account.quota = quota;
    // Its status may be somebody else's.
    this.#changed(quota);
  }

  #close(quota: ResourceQuota | undefined): void {
    const { namespace = '', name = '' } = quota?.metadata ?? {};
    const accounts = this.#accounts.get(namespace);
    accounts?.delete(name);
    if (accounts?.size === 0) this.#accounts.delete(namespace);
  }

  #follow(kind: KindRef): void {
    const resource = resourceName(kind);
    if (this.#followed.has(resource)) return;
    let replaying = true;
    const following = this.#reader.follow(kind, (object, old) => {
      if (!replaying) this.#apply(kind, object, old);
    });
    replaying = false;
    this.#followed.set(resource, following);
  }

  #apply(kind: KindRef, object: KubeObject | undefined, old: KubeObject | undefined): void {
    const any = object ?? old;
    if (!any) return;
    for (const account of this.#accounts.get(any.metadata.namespace ?? '')?.values() ?? []) {
      // Its account was opened by this very event, and has counted it.
      if (!old && isQuotaOf(account, kind, any)) continue;
      const changedOld = old !== undefined && this.#charge(account, kind, { object: old, add: false });
      const changedNew = object !== undefined && this.#charge(account, kind, { object, add: true });
      if (changedOld || changedNew) this.#changed(account.quota);
    }
  }

  #charge(account: OwnAccount, kind: KindRef, { object, add }: { object: KubeObject; add: boolean }): boolean {
    const { spec } = account.quota;
    if (!spec || !isInScope(spec, kind, object)) return false;
    let changed = false;
    for (const [name, value] of Object.entries(quotaUsageOf(kind, object))) {
      const used = own(account.used, name);
      if (used === undefined || value === '0') continue;
      put(account.used, name, add ? addQuantities(used, value) : subtractQuantities(used, value));
      changed = true;
    }
    return changed;
  }
}
