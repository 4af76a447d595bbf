/**
 * `/livez`, `/readyz`, `/healthz`: named checks, run in order. Why a check fails is logged, not told.
 * Upstream: apiserver/pkg/server/healthz/healthz.go.
 */
import type { NonResourceTarget } from '../request/api-request.ts';
import type { NonResourceEndpoint, NonResourceResponse } from '../request/non-resource-endpoint.ts';
import { pathNotFound, text } from './answers.ts';

export const healthPaths = ['livez', 'readyz', 'healthz'] as const;
export type HealthPath = (typeof healthPaths)[number];

export interface HealthCheck {
  readonly name: string;
  /** of which of the three paths it is a part */
  readonly of: readonly HealthPath[];
  /** Throws, or rejects, when something is wrong. */
  check(): void | Promise<void>;
}

/** Who is told what came of each check. */
export interface HealthListener {
  failed(name: string, error: unknown): void;
  checked?(name: string, path: HealthPath, isHealthy: boolean): void;
}

/** Always there: the server answers. */
export const pingCheck: HealthCheck = { name: 'ping', of: healthPaths, check: () => undefined };

export function healthEndpoint(path: HealthPath, checks: readonly HealthCheck[], listener: HealthListener): NonResourceEndpoint {
  const own = checks.filter((c) => c.of.includes(path));
  const passes: Passes = (check) => succeeds(check, path, listener);
  return {
    paths: [`/${path}`, `/${path}/*`],
    handle(request) {
      const name = request.path.slice(path.length + 2);
      return name ? answerOne(own, name, passes) : answerAll(path, own, request, passes);
    },
  };
}

type Passes = (check: HealthCheck) => Promise<boolean>;

async function answerOne(checks: readonly HealthCheck[], name: string, passes: Passes): Promise<NonResourceResponse> {
  const check = checks.find((c) => c.name === name);
  if (!check) return pathNotFound();
  const ok = await passes(check);
  return ok ? text(200, 'ok') : text(500, `internal server error: ${name} check failed\n`, noSniff);
}

const noSniff = { 'x-content-type-options': 'nosniff' };

/** Every check, once for each of its paths. */
export async function runAll(checks: readonly HealthCheck[], listener: HealthListener): Promise<void> {
  for (const check of checks) for (const path of check.of) await succeeds(check, path, listener);
}

async function succeeds(check: HealthCheck, path: HealthPath, listener: HealthListener): Promise<boolean> {
  let isHealthy = true;
  try {
    await check.check();
  } catch (error) {
    isHealthy = false;
    listener.failed(check.name, error);
  }
  listener.checked?.(check.name, path, isHealthy);
  return isHealthy;
}

async function answerAll(
  path: string,
  checks: readonly HealthCheck[],
  request: NonResourceTarget,
  passes: Passes,
): Promise<NonResourceResponse> {
  const excluded = new Set(request.query.getAll('exclude'));
  const lines: string[] = [];
  let failed = false;
  for (const check of checks) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const ok = await passes(check);
    failed ||= !ok;
    lines.push(ok ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`);
  }
  if (excluded.size) {
    const names = [...excluded].toSorted().map((name) => JSON.stringify(name));
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names.join(',')}`);
  }
  if (failed) return text(500, `${[...lines, `${path} check failed`].join('\n')}\n`, noSniff);
  if (!request.query.has('verbose')) return text(200, 'ok', noSniff);
  return text(200, `${[...lines, `${path} check passed`].join('\n')}\n`, noSniff);
}
