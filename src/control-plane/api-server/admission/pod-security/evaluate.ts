/** A pod against a level: what it violates, in upstream's words. */
import type { PodSpec } from '../../../../api/generated/core-v1.ts';
import type { ObjectMeta } from '../../../../api/generated/meta-v1.ts';
import { baselineChecks } from './baseline.ts';
import type { Violation } from './check.ts';
import type { LevelVersion } from './level.ts';
import { restrictedChecks } from './restricted.ts';

export function violations(
  { level, minor }: LevelVersion,
  pod: { readonly metadata: ObjectMeta; readonly spec: PodSpec },
): readonly Violation[] {
  if (level === 'privileged') return [];
  const checks = level === 'baseline' ? baselineChecks : restrictedChecks;
  return checks.flatMap((check) => check({ spec: pod.spec, metadata: pod.metadata, minor }) ?? []);
}

export const describeViolations = (list: readonly Violation[]): string =>
  list.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ');

export const describeReasons = (list: readonly Violation[]): string => list.map(({ reason }) => reason).join(', ');
