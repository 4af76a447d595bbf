/**
 * Where the administrator's kubeconfig goes: always into the data directory; then either into the one file that was
 * asked for, or as context `timonier-NAME` into the user's own kubeconfig, from which `delete` removes it again.
 */
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { mergeKubeconfigFile, removeFromKubeconfigFile } from '../client/kubeconfig.ts';
import type { Instance } from '../cluster/instance.ts';

export const contextName = (name: string): string => `timonier-${name}`;

/** The first file of $KUBECONFIG, else ~/.kube/config: where kubectl writes too. */
export function userKubeconfigPath(env: NodeJS.ProcessEnv = process.env): string {
  const first = env['KUBECONFIG']?.split(delimiter).find((file) => file.length > 0);
  return first ? resolve(first) : join(homedir(), '.kube', 'config');
}

export async function placeKubeconfig(
  instance: Instance,
  kubeconfig: string,
  file: string | undefined,
): Promise<{ kubeconfig: string; ownKubeconfig: boolean }> {
  writeFileSync(instance.kubeconfig, kubeconfig, { mode: 0o600 });
  if (file !== undefined) {
    const own = resolve(file);
    writeFileSync(own, kubeconfig, { mode: 0o600 });
    return { kubeconfig: own, ownKubeconfig: true };
  }
  const user = userKubeconfigPath();
  await mergeKubeconfigFile(user, kubeconfig, contextName(instance.name));
  return { kubeconfig: user, ownKubeconfig: false };
}

export async function forgetContext(name: string, file = userKubeconfigPath()): Promise<void> {
  await removeFromKubeconfigFile(file, contextName(name));
}
