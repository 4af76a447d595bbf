import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Log, silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { AuditLog, expiredBackups, openAuditLog } from './audit-log.ts';

function directory() {
  const dir = mkdtempSync(join(tmpdir(), 'audit-'));
  return { path: join(dir, 'below', 'audit.log'), dir: join(dir, 'below'), [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}
const limits = { maxSizeMiB: 1, maxBackups: 2, maxAgeDays: 0, clock: new VirtualClock(), log: silentLog };
const line = (text: string, length = 0): string => `${text.padEnd(length)}\n`;

test('lines are there in their order when it is closed, and only their owner reads them', async () => {
  using at = directory();
  const log = await openAuditLog({ ...limits, path: at.path });
  for (let i = 0; i < 2500; i++) log.write(line(String(i)));
  await log[Symbol.asyncDispose]();
  const again = await openAuditLog({ ...limits, path: at.path });
  again.write(line('more'));
  await again[Symbol.asyncDispose]();
  const lines = readFileSync(at.path, 'utf8').split('\n');
  assert.deepEqual([lines.length, lines[0], lines[2499], lines[2500]], [2502, '0', '2499', 'more']);
  assert.equal(statSync(at.path).mode & 0o777, 0o600);
  assert.deepEqual([log.written, log.lost], [2500, 0]);
});

test('it is rotated by size, and so many old ones stay', async () => {
  using at = directory();
  await using log = await openAuditLog({ ...limits, path: at.path });
  for (let i = 0; i < 5; i++) {
    log.write(line(`file ${i}`, 700 * 1024));
    await written(log, i + 1);
  }
  const names = readdirSync(at.dir).sort();
  assert.deepEqual(
    names.map((name) => readFileSync(join(at.dir, name), 'utf8').slice(0, 6)),
    ['file 2', 'file 3', 'file 4'],
  );
  assert.match(names[0] ?? '', /^audit-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log$/);
});

test('which old ones go, by number and age; other files are left alone', () => {
  const names = [
    'audit.log',
    'audit-x.log',
    'other-2026-01-01T00-00-00.000.log',
    ...[1, 2, 3].map((day) => `audit-2026-01-0${day}T00-00-00.000.log`),
  ];
  const nowMs = Date.UTC(2026, 0, 4);
  const gone = (maxBackups: number, maxAgeDays: number) => expiredBackups('/a/audit.log', names, { maxBackups, maxAgeDays, nowMs });
  assert.deepEqual(gone(0, 0), []);
  assert.deepEqual(gone(2, 0), ['audit-2026-01-01T00-00-00.000.log']);
  assert.deepEqual(gone(0, 1), ['audit-2026-01-02T00-00-00.000.log', 'audit-2026-01-01T00-00-00.000.log']);
});

/** A disk that takes so many bytes, and then none until it is `mended`. */
function disk(room: number) {
  let text = '';
  let isFull = true;
  const write = async (bytes: Buffer, at: number): Promise<{ bytesWritten: number }> => {
    const free = isFull ? room - text.length : Number.POSITIVE_INFINITY;
    if (free <= 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const part = bytes.subarray(at, at + free);
    text += part.toString();
    return { bytesWritten: part.length };
  };
  const file = { write, close: () => Promise.resolve() } as unknown as FileHandle;
  const mend = (): void => {
    isFull = false;
  };
  return { file, text: () => text, mend };
}

test('a full disk stops nobody: what is lost is counted, said once, and the next line is whole', async () => {
  const said: string[] = [];
  const log: Log = {
    ...silentLog,
    error: (_, message) => said.push(message),
    warn: (fields, message) => said.push(`${message} ${JSON.stringify(fields)}`),
  };
  const full = disk(12);
  const audit = new AuditLog({ ...limits, path: '/x/audit.log', log }, full.file, 0);
  for (const text of ['first', 'second', 'third']) {
    audit.write(line(text));
    await settled(audit);
  }
  full.mend();
  audit.write(line('fourth'));
  await settled(audit);
  assert.equal(full.text(), 'first\nsecond\nfourth\n');
  assert.deepEqual([audit.written, audit.lost], [2, 2]);
  assert.deepEqual(said, ['audit events are lost', 'audit events are kept again {"lost":2}']);
});

test('a disk that hangs costs a bounded memory, and holds up nobody, not even the end', async () => {
  const clock = new VirtualClock();
  const never = { write: () => new Promise<never>(() => undefined), close: () => Promise.resolve() } as unknown as FileHandle;
  const audit = new AuditLog({ ...limits, path: '/x/audit.log', clock }, never, 0);
  for (let i = 0; i < 80; i++) audit.write(line(String(i), 1024 * 1024));
  assert.ok(audit.lost >= 15, String(audit.lost));
  const closed = audit[Symbol.asyncDispose]();
  await clock.advance(5000);
  await closed;
});

test('a file that can not be opened is said at once', async () => {
  using at = directory();
  await assert.rejects(openAuditLog({ ...limits, path: join(at.dir, 'absent', 'audit.log') }), { code: 'ENOENT' });
});

async function written(log: AuditLog, count: number): Promise<void> {
  while (log.written < count) await new Promise((resolve) => setImmediate(resolve));
}
async function settled(log: AuditLog): Promise<void> {
  const before = log.written + log.lost;
  while (log.written + log.lost === before) await new Promise((resolve) => setImmediate(resolve));
}
