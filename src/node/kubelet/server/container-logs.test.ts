import assert from 'node:assert/strict';
import { appendFile, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { testPod } from '../../../../test/kit/test-pods.ts';
import type { ContainerState, PodStatus } from '../../../api/generated/core-v1.ts';
import { realClock } from '../../../client/clock.ts';
import { FileGate } from '../../files/file-gate.ts';
import type { ContainerRuntime } from '../../runtime/container-runtime.ts';
import { parseLogLine } from '../container/cri-log.ts';
import { chooseLogContainer, containerLog, type LogOptions, parseLogOptions } from './container-logs.ts';
import { tailStart } from './log-source.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'logs-'));
});
after(() => rm(dir, { recursive: true }));

const gate = new FileGate({ clock: realClock });
const all: LogOptions = { follow: false, previous: false, timestamps: false, stream: 'All' };
const lines = [
  '2026-01-01T00:00:01.5Z stdout F one',
  '2026-01-01T00:00:02.000000001Z stderr F two',
  '2026-01-01T00:00:03Z stdout P thr',
  '2026-01-01T00:00:03Z stdout F ee',
  'not a log line',
  '2026-01-01T00:00:04+02:00 stdout F four words in a line',
];

/** A runtime whose one container writes to `path`. */
const runtimeOf = (path: string, isRunning: () => boolean = () => false): ContainerRuntime =>
  ({
    containerStatus: async () => ({ logPath: path, state: isRunning() ? 'CONTAINER_RUNNING' : 'CONTAINER_EXITED' }),
  }) as unknown as ContainerRuntime;

async function read(runtime: ContainerRuntime, options: LogOptions, signal = new AbortController().signal): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of containerLog({ runtime, clock: realClock, gate, pod: testPod(), containerID: 'c', options, signal }))
    chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('containerLog', () => {
  let path: string;
  before(async () => {
    path = join(dir, '0.log');
    await writeFile(path, `${lines.join('\n')}\n`);
  });
  const rows: readonly { readonly name: string; readonly options: Partial<LogOptions>; readonly want: string }[] = [
    { name: 'everything', options: {}, want: 'one\ntwo\nthree\nfour words in a line\n' },
    { name: 'with times', options: { timestamps: true, tailLines: 1 }, want: '2026-01-01T00:00:04.000000000+02:00 four words in a line\n' },
    {
      name: 'the time stands once before a line in parts',
      options: { timestamps: true, stream: 'Stdout', limitBytes: 71 },
      want: '2026-01-01T00:00:01.500000000Z one\n2026-01-01T00:00:03.000000000Z three',
    },
    { name: 'the end', options: { tailLines: 2 }, want: 'four words in a line\n' },
    { name: 'nothing of it', options: { tailLines: 0 }, want: '' },
    { name: 'since', options: { sinceMs: Date.UTC(2026, 0, 1, 0, 0, 2) }, want: 'two\nthree\n' },
    { name: 'one stream', options: { stream: 'Stderr' }, want: 'two\n' },
    { name: 'so many bytes', options: { limitBytes: 6 }, want: 'one\ntw' },
  ];
  for (const { name, options, want } of rows)
    test(name, async () => assert.equal(await read(runtimeOf(path), { ...all, ...options }), want));

  test('following goes on through a rotation, and ends with the container', async () => {
    const followed = join(dir, 'followed.log');
    await writeFile(followed, '2026-01-01T00:00:01Z stdout F before\n');
    let running = true;
    const runtime = runtimeOf(followed, () => running);
    const { signal } = new AbortController();
    const options = { ...all, follow: true };
    const log = containerLog({ runtime, clock: realClock, gate, pod: testPod(), containerID: 'c', options, signal });
    const first = await log.next();
    await appendFile(followed, '2026-01-01T00:00:02Z stdout F more\n');
    await rename(followed, `${followed}.old`);
    await writeFile(followed, '2026-01-01T00:00:03Z stdout F after\n');
    running = false;
    const rest: Buffer[] = [];
    for await (const chunk of log) rest.push(chunk);
    assert.equal(Buffer.concat([first.value ?? Buffer.alloc(0), ...rest]).toString(), 'before\nmore\nafter\n');
  });

  test('following ends when nobody listens any more', async () => {
    const gone = new AbortController();
    const reading = read(
      runtimeOf(path, () => true),
      { ...all, follow: true, tailLines: 1 },
      gone.signal,
    );
    gone.abort();
    assert.equal(await reading, 'four words in a line\n');
  });
});

test('tailStart finds lines across chunks', async () => {
  const path = join(dir, 'big.log');
  const line = `${'x'.repeat(99)}\n`;
  await writeFile(path, line.repeat(2000));
  await using file = await open(path);
  assert.equal(await tailStart(file, 1500), 500 * 100);
  assert.equal(await tailStart(file, 5000), 0);
});

test('parseLogLine', () => {
  assert.equal(parseLogLine(Buffer.from('2026-01-01T00:00:01Z stdout P:x y'))?.partial, true);
  assert.equal(parseLogLine(Buffer.from('2026-01-01T00:00:01Z stdout F '))?.text.length, 0);
  assert.equal(parseLogLine(Buffer.from('2026-01-01T00:00:01Z other F x')), undefined);
});

test('parseLogOptions', () => {
  const query = 'follow=true&timestamps=true&tailLines=5&sinceSeconds=10&limitBytes=7&stream=Stdout';
  assert.deepEqual(parseLogOptions(new URLSearchParams(query), 60_000), {
    follow: true,
    previous: false,
    timestamps: true,
    sinceMs: 50_000,
    tailLines: 5,
    limitBytes: 7,
    stream: 'Stdout',
  });
  for (const bad of ['tailLines=-1', 'limitBytes=x', 'sinceTime=yesterday', 'stream=Both']) {
    assert.throws(() => parseLogOptions(new URLSearchParams(bad), 0), /^Error: invalid/);
  }
});

describe('chooseContainer', () => {
  const ended = { terminated: { exitCode: 0, containerID: 'containerd://old' } };
  const status = (state: ContainerState, lastState: ContainerState = {}): PodStatus => ({
    containerStatuses: [
      { name: 'main', image: '', imageID: '', ready: false, restartCount: 0, containerID: 'containerd://new', state, lastState },
    ],
  });
  const where = 'container "main" in pod "web"';
  for (const [name, given, previous, want] of [
    ['running', status({ running: {} }), false, 'new'],
    ['ended', status(ended), false, 'old'],
    ['waiting, and ran before', status({ waiting: { reason: 'CrashLoopBackOff' } }, ended), false, 'old'],
    ['the one before', status({ running: {} }, ended), true, 'old'],
    ['no one before', status({ running: {} }), true, `previous terminated ${where} not found`],
    ['waiting', status({ waiting: { reason: 'ContainerCreating' } }), false, `${where} is waiting to start: ContainerCreating`],
    ['no image', status({ waiting: { reason: 'ErrImagePull' } }), false, `${where} is waiting to start: image can't be pulled`],
    [
      'still no image',
      status({ waiting: { reason: 'ImagePullBackOff' } }),
      false,
      `${where} is waiting to start: trying and failing to pull image`,
    ],
    ['unknown', {}, false, `${where} is not available`],
  ] as const) {
    test(name, () => {
      const choose = (): string => chooseLogContainer('web', given, { container: 'main', previous });
      if (want.includes(' ')) assert.throws(choose, { message: want });
      else assert.equal(choose(), want);
    });
  }
});
