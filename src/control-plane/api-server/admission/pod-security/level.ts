/**
 * The Pod Security levels that a namespace's labels ask for.
 * Upstream: pod-security-admission/api/helpers.go.
 */

import { type FieldError, fieldErrors } from '../../../../api/meta/status-error.ts';
import { own } from '../../../../api/meta/words.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

export interface LevelVersion {
  readonly level: Level;
  /** the minor version of 1.x; Infinity is `latest` */
  readonly minor: number;
}

export interface PodSecurityPolicy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
  /** labels that say nothing valid */
  readonly problems: readonly FieldError[];
}

type Labels = Readonly<Record<string, string>>;

const prefix = 'pod-security.kubernetes.io/';
const order: Readonly<Record<Level, number>> = { privileged: 0, baseline: 1, restricted: 2 };
const open: LevelVersion = { level: 'privileged', minor: Number.POSITIVE_INFINITY };
const openPolicy: PodSecurityPolicy = { enforce: open, audit: open, warn: open, problems: [] };

export const compareLevels = (a: Level, b: Level): number => order[a] - order[b];
export const describeLevel = ({ level, minor }: LevelVersion): string =>
  `${level}:${minor === Number.POSITIVE_INFINITY ? 'latest' : `v1.${minor}`}`;
export const sameLevel = (a: LevelVersion, b: LevelVersion): boolean => a.level === b.level && a.minor === b.minor;

const known = new WeakMap<Labels, PodSecurityPolicy>();

/** Remembered per set of labels: nearly every namespace says nothing, and is asked about with every pod. */
export function policyOf(labels: Labels | undefined): PodSecurityPolicy {
  if (!labels) return openPolicy;
  const remembered = known.get(labels);
  if (remembered) return remembered;
  const policy = Object.keys(labels).some((key) => key.startsWith(prefix)) ? parsePolicy(labels) : openPolicy;
  known.set(labels, policy);
  return policy;
}

function parsePolicy(labels: Labels): PodSecurityPolicy {
  const problems: FieldError[] = [];
  const enforce = parseMode(labels, 'enforce', problems);
  const audit = parseMode(labels, 'audit', problems);
  const warn = parseMode(labels, 'warn', problems);
  const says = (name: string): boolean => own(labels, prefix + name) !== undefined;
  const warnFollows = !says('warn') && enforce.isValid && says('enforce') && compareLevels(enforce.level, warn.level) > 0;
  return {
    enforce: { level: enforce.level, minor: enforce.minor },
    audit: { level: audit.isValid ? audit.level : 'privileged', minor: audit.minor },
    warn: warnFollows
      ? { level: enforce.level, minor: says('warn-version') ? warn.minor : enforce.minor }
      : { level: warn.isValid ? warn.level : 'privileged', minor: warn.minor },
    problems,
  };
}

function parseMode(labels: Labels, mode: string, problems: FieldError[]): LevelVersion & { readonly isValid: boolean } {
  const [level, version] = [own(labels, prefix + mode), labels[`${prefix}${mode}-version`]];
  const isValid = level === undefined || level in order;
  const path = (label: string): string => `metadata.labels[${prefix}${label}]`;
  if (!isValid) problems.push(fieldErrors.invalid(path(mode), level, 'must be one of privileged, baseline, restricted'));
  const match = /^v1\.([0-9]|[1-9][0-9]*)$/.exec(version ?? '');
  if (version !== undefined && version !== 'latest' && !match)
    problems.push(fieldErrors.invalid(path(`${mode}-version`), version, 'must be "latest" or "v1.x"'));
  return {
    level: level === undefined ? 'privileged' : isValid ? (level as Level) : 'restricted',
    minor: match ? Number(match[1]) : Number.POSITIVE_INFINITY,
    isValid,
  };
}
