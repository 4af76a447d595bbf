/** How a command asks a running cluster, and tells it something as its administrator: control-endpoints.ts answers. */
import { isStatusError } from '../../api/meta/status-error.ts';
import { realClock, realRandom } from '../../client/clock.ts';
import { type Access, accessOf, parseKubeconfig } from '../../client/files/kubeconfig.ts';
import { silentLog } from '../../client/log.ts';
import { createHTTPClient, type HTTPAccess } from '../../client/transport/http-client.ts';
import { type AddonState, controlPaths } from '../api-server/control-endpoints.ts';
import { OperationError } from '../operation-error.ts';

/** Thousands of nodes register meanwhile. */
const answerMsMax = 300_000;

/** A client for as long as one command takes: in real time, and without a word in any log. */
export const commandClient = (access: Access): HTTPAccess =>
  createHTTPClient({ ...access, clock: realClock, random: realRandom, log: silentLog });

/** `kubeconfig` is the administrator's, its text. Resolves when they are there. */
export const setSimulatedNodes = (kubeconfig: string, count: number): Promise<unknown> =>
  control(kubeconfig, 'change its simulated nodes', (client) =>
    client.put(`${controlPaths.simulatedNodes}?count=${count}`, { timeoutMs: answerMsMax }),
  );

/** Resolves when those are off and the others on. */
export const disableAddons = (kubeconfig: string, names: readonly string[]): Promise<unknown> =>
  control(kubeconfig, 'change its add-ons', (client) =>
    client.put(`${controlPaths.addons}?disable=${names.join(',')}`, { timeoutMs: answerMsMax }),
  );

export async function readAddons(kubeconfig: string): Promise<readonly AddonState[]> {
  const { addons } = await control(kubeconfig, 'say what add-ons it has', (client) =>
    client.raw<{ addons: AddonState[] }>(controlPaths.addons),
  );
  return addons;
}

async function control<T>(kubeconfig: string, what: string, ask: (client: HTTPAccess) => Promise<T>): Promise<T> {
  await using client = commandClient(await accessOf(await parseKubeconfig(kubeconfig)));
  try {
    return await ask(client);
  } catch (error) {
    if (!isStatusError(error)) throw error;
    const message = `the cluster did not ${what}: ${error.message}`;
    throw new OperationError({ code: 'control-failed', message, fix: 'see `timonier logs`' });
  }
}
