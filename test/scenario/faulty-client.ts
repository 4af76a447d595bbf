/** A client whose writes sometimes fail: before they are done, or after, when only the answer is lost. */
import { errors } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import type { Random } from '../../src/client/clock.ts';

const writes: ReadonlySet<string | symbol> = new Set(['create', 'update', 'patch', 'delete', 'deleteCollection', 'post']);

export interface Faults {
  readonly random: Random;
  /** of each write to fail, 0 to 1 */
  rate: number;
}

export function faultyClient(client: Client, faults: Faults): Client {
  return new Proxy(client, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function') return method;
      if (!writes.has(name)) return method.bind(target);
      return async (...args: unknown[]): Promise<unknown> => {
        const dice = faults.random.next();
        if (dice < faults.rate / 2) throw errors.serviceUnavailable('the server is having a bad moment');
        const result: unknown = await method.apply(target, args);
        if (dice < faults.rate) throw errors.timeout('the answer was lost');
        return result;
      };
    },
  });
}
