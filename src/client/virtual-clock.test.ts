import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { VirtualClock } from './virtual-clock.ts';

const startMs = Date.UTC(2026, 0, 1);
const year9999Ms = Date.parse('9999-12-31T23:59:59Z');

/** What happened when, in milliseconds since the start. */
class Diary {
  readonly clock = new VirtualClock(startMs);
  readonly lines: string[] = [];
  readonly note = (word: string): void => {
    this.lines.push(`${this.clock.now() - startMs} ${word}`);
  };
}

const moves: readonly { name: string; act: (diary: Diary) => Promise<unknown>; want: string[]; endMs: number }[] = [
  {
    name: 'timers fire in order of their time, then of their making',
    act: async ({ clock, note }) => {
      for (const [word, ms] of [
        ['c', 30],
        ['a', 10],
        ['b', 10],
      ] as const)
        clock.setTimeout(() => note(word), ms);
      await clock.advance(50);
    },
    want: ['10 a', '10 b', '30 c'],
    endMs: 50,
  },
  {
    name: 'two moves at once add up',
    act: ({ clock, note }) => {
      clock.setTimeout(() => note('a'), 150);
      return Promise.all([clock.advance(100).then(() => note('first')), clock.advance(100).then(() => note('second'))]);
    },
    want: ['100 first', '150 a', '200 second'],
    endMs: 200,
  },
  {
    name: 'a move by a timer of a move comes after it, and is no way back',
    act: async ({ clock, note }) => {
      const inner = Promise.withResolvers<void>();
      clock.setTimeout(async () => {
        note('asks');
        await clock.advance(1000);
        note('inner');
        inner.resolve();
      }, 10);
      clock.setTimeout(() => note('later'), 500);
      await clock.advance(100);
      note('outer');
      await inner.promise;
    },
    want: ['10 asks', '100 outer', '500 later', '1100 inner'],
    endMs: 1100,
  },
  {
    name: 'zero lets due timers fire',
    act: async ({ clock, note }) => {
      clock.setTimeout(() => note('now'), 0);
      clock.setTimeout(() => note('soon'), 1);
      await clock.advance(0);
    },
    want: ['0 now'],
    endMs: 0,
  },
  {
    name: 'a timer before now, or at no time, fires now; one at infinity never',
    act: async ({ clock, note }) => {
      for (const ms of [-5, Number.NaN, Number.POSITIVE_INFINITY]) clock.setTimeout(() => note(String(ms)), ms);
      await clock.advance(1);
    },
    want: ['0 -5', '0 NaN'],
    endMs: 1,
  },
  ...[0, -5000, Number.NaN].map((periodMs) => ({
    name: `an interval of ${periodMs} ms is one of 1 ms`,
    act: async ({ clock, note }: Diary) => {
      clock.setInterval(() => note('beat'), periodMs);
      await clock.advance(2);
    },
    want: ['1 beat', '2 beat'],
    endMs: 2,
  })),
  {
    name: 'a callback that throws ends its move, and the next goes on from there',
    act: async ({ clock, note }) => {
      clock.setTimeout(() => {
        throw new Error('broken');
      }, 10);
      clock.setTimeout(() => note('later'), 20);
      await assert.rejects(clock.advance(100), /broken/);
      await clock.advance(20);
    },
    want: ['20 later'],
    endMs: 30,
  },
  {
    name: 'work that is under way elsewhere, and what follows from it, ends before time goes on, well or badly',
    act: async ({ clock, note }) => {
      const onDisk = async (word: string): Promise<void> => {
        await sleep(5);
        note(word);
      };
      clock.setTimeout(() => {
        const first = onDisk('written');
        clock.holdFor(first);
        clock.holdFor(Promise.reject(new Error('no room')));
        void first.then(() => clock.holdFor(onDisk('written in answer')));
      }, 10);
      clock.setTimeout(() => note('later'), 11);
      await clock.advance(50);
    },
    want: ['10 written', '10 written in answer', '11 later'],
    endMs: 50,
  },
  {
    name: 'work without end does not stop time',
    act: async ({ clock }) => {
      const stop = new AbortController();
      const write = (): void => {
        const written = immediate();
        clock.holdFor(written);
        void written.then(() => stop.signal.aborted || write());
      };
      write();
      await clock.advance(50);
      stop.abort();
    },
    want: [],
    endMs: 50,
  },
];

describe('moves', () => {
  for (const { name, act, want, endMs } of moves) {
    it(name, async () => {
      const diary = new Diary();
      await act(diary);
      assert.deepEqual(diary.lines, want);
      assert.equal(diary.clock.now() - startMs, endMs);
      assert.equal(diary.clock.monotonic(), endMs);
    });
  }
});

describe('what is no length of time moves nothing', () => {
  const wrong: readonly unknown[] = [-1, -0.1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, undefined, '5', year9999Ms];
  for (const durationMs of wrong) {
    it(String(durationMs), async () => {
      const clock = new VirtualClock(startMs);
      await assert.rejects(clock.advance(durationMs as number), RangeError);
      assert.equal(clock.now(), startMs);
      await clock.advance(5);
      assert.equal(clock.now(), startMs + 5);
    });
  }
});

describe('a clock starts in the years 1970 to 9999', () => {
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, year9999Ms + 1000, -1])
    it(`not at ${wrong}`, () => assert.throws(() => new VirtualClock(wrong), RangeError));
  for (const right of [0, Date.UTC(2040, 0, 1), year9999Ms]) it(`at ${right}`, () => assert.equal(new VirtualClock(right).now(), right));
});
