/**
 * Object keys that collide in V8's hash tables (CVE-2026-21717): keys that look like indexes of arrays are hashed by
 * their value. Data, labels and annotations are maps whose keys the client chooses. Whatever keys they are, a body takes
 * about as long as one of the same size with keys at random: parsed, checked, frozen, compared, merged.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { everybody, listen } from '../kit/https-server.ts';

const keysMax = 30_000;
const configMaps = '/api/v1/namespaces/default/configmaps';
/** How much longer than keys at random, and the least that tells anything. */
const factorMax = 8;
const leastMs = 100;

const multiples = (step: number) => (i: number) => String((i * step) % 9_999_991);
const keys: Readonly<Record<string, (i: number) => string>> = {
  'one after another': String,
  'multiples of 2^10': multiples(2 ** 10),
  'multiples of 2^16': multiples(2 ** 16),
  'multiples of 2^20': multiples(2 ** 20),
  'of eight digits and more': (i) => String(10_000_000 + i * 2 ** 16),
  'beyond 2^32': (i) => String(2 ** 32 + i * 2 ** 24),
  'beyond 2^53': (i) => `9007199254740993${String(i).padStart(6, '0')}`,
  'of the same end': (i) => `${i.toString(36)}-0000000000000000`,
};
const random = (i: number): string => `k${((i * 2_654_435_761) % 2 ** 32).toString(36)}`;

it('a body with keys that collide takes no longer than others', async () => {
  await using listening = await listen(everybody);
  const timeOf = async (name: string, keyOf: (i: number) => string): Promise<number> => {
    const data = Object.fromEntries(Array.from({ length: keysMax }, (_, i) => [keyOf(i), '']));
    const startMs = performance.now();
    const created = await listening.ask(configMaps, { method: 'POST', body: JSON.stringify({ metadata: { name }, data }) });
    assert.equal(created.code, 201, created.text.slice(0, 300));
    const body = JSON.stringify({ data: { ...data, more: 'x' } });
    const headers = { 'content-type': 'application/merge-patch+json' };
    assert.equal((await listening.ask(`${configMaps}/${name}`, { method: 'PATCH', body, headers })).code, 200);
    assert.equal(
      (await listening.ask(`${configMaps}/${name}`, { method: 'PUT', body: JSON.stringify({ metadata: { name }, data }) })).code,
      200,
    );
    return performance.now() - startMs;
  };
  await timeOf('warm', random);
  const usualMs = Math.max(leastMs, await timeOf('random', random));
  for (const [name, keyOf] of Object.entries(keys)) {
    const tookMs = await timeOf(name.replace(/\W+/g, '-').toLowerCase(), keyOf);
    assert.ok(tookMs < factorMax * usualMs, `${name}: ${tookMs} ms, others ${usualMs} ms`);
  }
});
