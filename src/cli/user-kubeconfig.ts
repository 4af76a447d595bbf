/**
 * Where the administrator's kubeconfig goes: always into the data directory; then either into the one file that was
 * asked for, or as context `timonier-NAME` into the user's own kubeconfig, from which `delete` removes it again. Where the
 * user's disk has no room for that, the one in the data directory is what the user is told of.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { mergeKubeconfig, parseKubeconfig, readKubeconfig, removeContext, writeKubeconfig } from '../client/kubeconfig.ts';
import { isDiskFull } from '../client/replace-file.ts';
import type { Instance } from '../cluster/instance.ts';

/** The first file of $KUBECONFIG, else ~/.kube/config: where kubectl writes too. */
export function userKubeconfigPath(env: NodeJS.ProcessEnv = process.env): string {
  const first = env['KUBECONFIG']?.split(delimiter).find((file) => file.length > 0);
  return first ? resolve(first) : join(homedir(), '.kube', 'config');
}

/** `text` is a kubeconfig whose one context is `timonier-NAME`. */
export async function placeKubeconfig(
  instance: Instance,
  text: string,
  file: string | undefined,
): Promise<{ kubeconfig: string; ownKubeconfig: boolean }> {
  const config = await parseKubeconfig(text);
  await writeKubeconfig(instance.kubeconfig, config);
  if (file !== undefined) {
    const own = resolve(file);
    await writeKubeconfig(own, config);
    return { kubeconfig: own, ownKubeconfig: true };
  }
  const user = userKubeconfigPath();
  try {
    await writeKubeconfig(user, mergeKubeconfig(await readKubeconfig(user), config));
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    return { kubeconfig: instance.kubeconfig, ownKubeconfig: true }; // the cluster's own serves as well
  }
  return { kubeconfig: user, ownKubeconfig: false };
}

export async function forgetContext(context: string, file = userKubeconfigPath()): Promise<void> {
  if (!existsSync(file)) return;
  const config = await readKubeconfig(file);
  if (config.contexts?.some(({ name }) => name === context)) await writeKubeconfig(file, removeContext(config, context));
}
