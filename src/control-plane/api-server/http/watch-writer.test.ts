import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { configMap } from '../../../api/kinds/core/config-map.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { CacheEvent } from '../cache/cache-event.ts';
import { Draft } from '../cache/stored-object.ts';
import type { View } from './negotiation.ts';
import { UntakenBytes } from './untaken-bytes.ts';
import { type WatchContext, WatchWriter } from './watch-writer.ts';

/** A watcher whose rows are counted; what it has written is the second. */
function watcher(view: View, made: () => void): { readonly writer: WatchWriter; readonly text: () => string } {
  const response = Object.assign(new PassThrough(), { flushHeaders: () => {} });
  const cells = (): readonly string[] => {
    made();
    return ['x', '1', '5s'];
  };
  const context = {
    exchange: { response, size: 0, writeHead: () => {}, query: new URLSearchParams('includeObject=Object') },
    form: { format: 'json', view, pretty: false },
    request: { target: { kind: { ...configMap, hooks: { cells } } }, user: { name: 'a' } },
    clock: new VirtualClock(),
    untaken: new UntakenBytes(),
  };
  const writer = new WatchWriter(context as unknown as WatchContext, () => {});
  return { writer, text: () => String(response.read()) };
}

test('an event is made once for all watchers who want it as a table', async () => {
  let rows = 0;
  const watchers = Array.from({ length: 5 }, () => watcher('table', () => rows++));
  const stored = (text: string) =>
    new Draft({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { text } } as never, undefined).storedAs({
      key: 'x',
      revision: 5,
      lease: undefined,
    });
  const events = ['first', 'second'].map((text) => new CacheEvent(5, stored(text), undefined));
  for (const event of events) for (const { writer } of watchers) writer.event('ADDED', event.current ?? stored(''), event);
  // The first of each watcher says the columns.
  assert.equal(rows, watchers.length + 1);
  await Promise.resolve();
  const [first, ...others] = watchers.map(({ text }) => text());
  for (const other of others) assert.equal(other, first);
  assert.equal(first?.match(/"columnDefinitions":\[/g)?.length, 1);
  assert.match(first ?? '', /"text":"second"/);
});
