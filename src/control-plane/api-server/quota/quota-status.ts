/**
 * Writes what is used into the status of each ResourceQuota: one write per quota on its way at a time, so a burst of
 * changes costs few. Upstream does this at admission and in pkg/controller/resourcequota.
 */
import { ResourceQuota } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { isConflict, isNotFound } from '../../../api/meta/status-error.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock } from '../../../client/clock.ts';
import { detach } from '../../../client/detached.ts';
import type { Log } from '../../../client/log.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { Account } from './ledger.ts';

const retryMs = 1000;

interface Tools {
  readonly reader: ObjectReader;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
}

export class QuotaStatus implements Disposable {
  readonly #tools: Tools;
  readonly #accountOf: (quota: ResourceQuota) => Account | undefined;
  /** the latest quota object to write, by key; undefined while nothing more is to be written than what is on its way */
  readonly #writing = new Map<string, ResourceQuota | undefined>();
  readonly #stop = new AbortController();

  constructor(tools: Tools, accountOf: (quota: ResourceQuota) => Account | undefined) {
    this.#tools = tools;
    this.#accountOf = accountOf;
  }

  /** Called from inside the cache: it only takes note. */
  changed(quota: ResourceQuota): void {
    const key = keyOf(quota);
    const isWriting = this.#writing.has(key);
    this.#writing.set(key, quota);
    if (isWriting) return;
    detach(
      () => this.#writeAll(key),
      (error) => {
        this.#writing.delete(key);
        this.#tools.log.error({ error, quota: key }, 'the status of a quota was not written');
      },
    );
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#writing.clear();
  }

  async #writeAll(key: string): Promise<void> {
    // The change that caused this is acknowledged first.
    await Promise.resolve();
    for (let quota = this.#take(key); quota; quota = this.#take(key)) {
      try {
        await this.#write(quota);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (isNotFound(error)) continue;
        if (!this.#writing.get(key)) this.#writing.set(key, quota);
        if (isConflict(error)) continue;
        this.#tools.log.warn({ error, quota: key }, 'the status of a quota was not written');
        await this.#tools.clock.sleep(retryMs, this.#stop.signal).catch(() => undefined);
      }
    }
    this.#writing.delete(key);
  }

  #take(key: string): ResourceQuota | undefined {
    const quota = this.#writing.get(key);
    if (quota) this.#writing.set(key, undefined);
    return this.#stop.signal.aborted ? undefined : quota;
  }

  async #write(noted: ResourceQuota): Promise<void> {
    const { namespace, name } = noted.metadata;
    const quota = this.#tools.reader.get(ResourceQuota, { namespace, name });
    const account = quota && this.#accountOf(quota);
    if (!account) return;
    const status = { hard: quota.spec?.hard ?? {}, used: { ...account.used } };
    if (equalSemantically(quota.status, status)) return;
    await this.#tools.client.update(ResourceQuota, { ...quota, status }, { subresource: 'status', signal: this.#stop.signal });
  }
}
