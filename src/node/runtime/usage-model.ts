/**
 * How much a simulated container uses, over time: an amount, and what has been used up to a moment, exactly, so that a
 * reading at any time costs the same and needs no timer. Written as
 *
 *   250m                           always
 *   wave 100m..900m every 20m      up and down as a sine does, the least at the beginning
 *   ramp 100m..900m in 5m          from the one to the other, then that
 *   series 0s=100m,5m=900m,8m=0    from that time on; as it was recorded elsewhere
 */
import { parseDuration } from '../../api/meta/duration.ts';
import { own } from '../../api/meta/words.ts';

export interface UsageModel {
  /** `ms` after its beginning */
  at(ms: number): number;
  /** amount times seconds, from its beginning until then */
  upTo(ms: number): number;
}

/** Of a series; more are not read. */
const stepsMax = 10_000;

/** Undefined: it says nothing that can be read. */
export function parseUsage(text: string | undefined): UsageModel | undefined {
  const [word, ...rest] = (text ?? '').split(' ').filter(Boolean);
  if (word === 'series') return parseSeries(rest.join(' '));
  if (word !== 'wave' && word !== 'ramp') {
    const amount = rest.length > 0 ? undefined : parseAmount(word);
    return amount === undefined ? undefined : constant(amount);
  }
  const [range = '', joint, time, ...more] = rest;
  const [from, to, ...others] = range.split('..');
  if (more.length > 0 || others.length > 0) return undefined;
  const [a, b, ms] = [parseAmount(from), parseAmount(to), parseDuration(time)];
  if (a === undefined || b === undefined || !ms || ms < 0) return undefined;
  if (word === 'wave') return joint === 'every' ? wave(a, b, ms) : undefined;
  return joint === 'in' ? ramp(a, b, ms) : undefined;
}

export const constant = (amount: number): UsageModel => ({ at: () => amount, upTo: (ms) => (amount * ms) / 1000 });

function wave(low: number, high: number, periodMs: number): UsageModel {
  const [middle, half, turn] = [(low + high) / 2, (high - low) / 2, (2 * Math.PI) / periodMs];
  return {
    at: (ms) => middle - half * Math.cos(turn * ms),
    upTo: (ms) => (middle * ms - (half / turn) * Math.sin(turn * ms)) / 1000,
  };
}

function ramp(from: number, to: number, lengthMs: number): UsageModel {
  const slope = (to - from) / lengthMs;
  return {
    at: (ms) => from + slope * Math.min(ms, lengthMs),
    upTo(ms) {
      const rising = Math.min(ms, lengthMs);
      return (from * rising + (slope * rising ** 2) / 2 + to * (ms - rising)) / 1000;
    },
  };
}

interface Step {
  readonly fromMs: number;
  readonly amount: number;
}

function parseSeries(text: string): UsageModel | undefined {
  const steps: Step[] = [];
  const parts = text.split(',', stepsMax + 1);
  if (parts.length > stepsMax) return undefined;
  for (const part of parts) {
    const [time, written] = part.trim().split('=');
    const [fromMs, amount] = [parseDuration(time), parseAmount(written)];
    if (fromMs === undefined || amount === undefined || fromMs < 0) return undefined;
    if (fromMs < (steps.at(-1)?.fromMs ?? 0)) return undefined;
    steps.push({ fromMs, amount });
  }
  return {
    at: (ms) => steps.findLast(({ fromMs }) => fromMs <= ms)?.amount ?? 0,
    upTo: (ms) => steps.reduce((sum, { fromMs, amount }, i) => sum + amount * lengthOf(fromMs, steps[i + 1]?.fromMs, ms), 0) / 1000,
  };
}

/** Of a step, until `ms`. */
const lengthOf = (fromMs: number, nextMs: number | undefined, ms: number): number => Math.max(0, Math.min(nextMs ?? ms, ms) - fromMs);

const suffixes: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** The quantities that a container's use is written in. */
function parseAmount(text: string | undefined): number | undefined {
  const [, amount, suffix = ''] = /^(\d+(?:\.\d+)?)([numkMG]|[KMG]i)?$/.exec(text ?? '') ?? [];
  return amount === undefined ? undefined : Number(amount) * (own(suffixes, suffix) ?? 1);
}
