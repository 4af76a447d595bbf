/**
 * The ledger of upstream's suite: what is expected of every test, on simulated nodes and on real ones. It holds the
 * conformance tests, those that upstream runs beside them before each merge (`isBesideConformance`), and those of features
 * that are here (`isOfFeature`).
 *
 * A verdict is `passes`; or why the test does not pass, which begins with `needs` (a part of Kubernetes that is not
 * there yet, or containers on nodes that have none), `skips` (the test finds itself out of place, say on this provider),
 * `differs` (on purpose, see docs/parity.md) or `fails` (a defect); or `unsteady` (passes and fails by turns) or `empty` (it passes without having tested anything), where neither outcome
 * is a difference; or `not run`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

export const nodeSorts = ['simulated', 'real'] as const;
export type NodeSort = (typeof nodeSorts)[number];
export type Ledger = Readonly<Record<string, Readonly<Record<NodeSort, string>>>>;

export const isConformance = (name: string): boolean => name.includes('[Conformance]');
/** Runs anywhere, beside others, in good time, with what is on by default; of storage and Windows none. */
export const isBesideConformance = (name: string): boolean =>
  !isConformance(name) && !/\[(?:Serial|Slow|Disruptive|Flaky|Alpha|Beta|Feature:.*)\]|^\[sig-(?:storage|windows)\]/.test(name);
/** Upstream runs these where a network plugin has the feature. */
export const isOfFeature = (name: string): boolean => !isConformance(name) && name.includes('[Feature:NetworkPolicy]');

export const passes = 'passes';
export const notRun = 'not run';
/** The test is worth running: it is expected to pass, or nobody knows. */
export const isDue = (verdict: string): boolean => verdict === passes || verdict === notRun || verdict.startsWith('unsteady');

const isTolerant = (verdict: string): boolean => /^(unsteady|empty)/.test(verdict);

export interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  /** the first line of why it failed */
  readonly message: string;
}

export function readLedger(file: string): Ledger {
  return JSON.parse(readFileSync(file, 'utf8')) as Ledger;
}

/** One line per test, in the order of names. */
export function writeLedger(file: string, ledger: Ledger): void {
  const lines = Object.keys(ledger)
    .sort()
    .map(
      (name) =>
        `  ${JSON.stringify(name)}: { ${nodeSorts.map((sort) => `"${sort}": ${JSON.stringify(ledger[name]?.[sort])}`).join(', ')} }`,
    );
  writeFileSync(file, `{\n${lines.join(',\n')}\n}\n`);
}

/** What differs from the ledger, a line each. */
export function compareOutcomes(ledger: Ledger, sort: NodeSort, outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ name, passed, message }) => {
    const verdict = ledger[name]?.[sort];
    if (verdict === undefined) return [`not in the ledger: ${name}`];
    if (isTolerant(verdict) || (verdict === passes) === passed) return verdict === notRun ? [`not judged yet: ${name}: ${message}`] : [];
    return [passed ? `passes, the ledger says "${verdict}": ${name}` : `fails, the ledger says "${verdict}": ${name}: ${message}`];
  });
}

/** The ledger with what was seen: a test that passed passes; one that was expected to, or never ran, fails. */
export function recordOutcomes(ledger: Ledger, sort: NodeSort, outcomes: readonly Outcome[]): Ledger {
  const recorded = { ...ledger };
  for (const { name, passed, message } of outcomes) {
    const entry = ledger[name] ?? { simulated: notRun, real: notRun };
    if (isTolerant(entry[sort])) continue;
    if (passed) recorded[name] = { ...entry, [sort]: passes };
    else if (isDue(entry[sort])) recorded[name] = { ...entry, [sort]: `fails: ${message}` };
  }
  return recorded;
}
