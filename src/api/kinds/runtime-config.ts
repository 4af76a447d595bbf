/**
 * What `--runtime-config` says: `api/all`, `api/ga`, `api/beta`, `api/alpha`, `group/version`, `group/version/resource`
 * (core: `v1`, `v1/pods`), each to true or false. The more exact one wins. Stable versions are on, others off.
 */
import * as kinds from '../generated/kinds.ts';
import { apiVersionOf } from '../meta/object.ts';

export type RuntimeConfig = Readonly<Record<string, boolean>>;

export const stabilities = ['api/all', 'api/ga', 'api/beta', 'api/alpha'];

/** Reads the values of `{ 'api/beta': 'true', 'apps/v1/deployments': 'false' }`; '' means true. Throws for others. */
export function parseRuntimeConfig(given: Readonly<Record<string, string>>): RuntimeConfig {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      if (!['', 'true', 'false', '1', '0'].includes(value)) throw new Error(`invalid value ${name}=${value}`);
      return [name.replace(/^api\/v1/, 'v1'), value !== 'false' && value !== '0'];
    }),
  );
}

/** Why it can't be what is meant, as far as names and values say. */
export function runtimeConfigProblem(given: Readonly<Record<string, string>>): string | undefined {
  try {
    const versions = new Set([...stabilities, ...Object.values(kinds).map(apiVersionOf)]);
    const isKnown = (name: string): boolean => versions.has(name) || versions.has(name.slice(0, name.lastIndexOf('/')));
    const unknown = Object.keys(parseRuntimeConfig(given)).filter((name) => !isKnown(name));
    return unknown.length > 0 ? `unknown API versions ${unknown.join(', ')}` : undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export const runtimeConfigFix =
  'name api/all, api/ga, api/beta, api/alpha, GROUP/VERSION or GROUP/VERSION/RESOURCE (core: v1), each true or false';
