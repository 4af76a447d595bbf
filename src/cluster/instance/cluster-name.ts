/**
 * Which cluster is meant where no name is given: the one that the environment says, as `ci` does for its command, else
 * `default`. A cluster of `ci` without real nodes is in the memory of that process, and only its kubeconfig leads there.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OperationError } from '../operation-error.ts';
import { Instance } from './instance.ts';

export const clusterVariable = 'TIMONIER_CLUSTER';
/** In the environment of all that is to end with `ci`: its directory. */
export const ciVariable = 'TIMONIER_CI';

export const usualCluster = (env: NodeJS.ProcessEnv = process.env): string => env[clusterVariable] || 'default';

export const ciKubeconfig = (dir: string): string => join(dir, 'kubeconfig');

/** Of a cluster in the memory of the `ci` whose command we are part of. */
export function kubeconfigInMemory(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { [clusterVariable]: own, [ciVariable]: dir } = env;
  const isIt = name === own && dir && existsSync(ciKubeconfig(dir)) && !new Instance(name).exists;
  return isIt ? ciKubeconfig(dir) : undefined;
}

/** Such a cluster has no files, no nodes with images, and no process but that of `ci`. */
export function refuseInMemory(name: string): void {
  if (kubeconfigInMemory(name) === undefined) return;
  throw new OperationError({
    code: 'in-memory',
    message: `cluster "${name}" is in the memory of \`timonier ci\``,
    fix: 'timonier kubectl and timonier watch reach it; with --nodes 1 it is one as any other',
  });
}
