/** How a command asks a running cluster, and tells it something as its administrator: control-endpoints.ts answers. */
import { isStatusError } from '../../api/meta/status-error.ts';
import { realClock, realRandom } from '../../client/clock.ts';
import { type Access, accessOf, parseKubeconfig } from '../../client/files/kubeconfig.ts';
import { silentLog } from '../../client/log.ts';
import { createHTTPClient, type HTTPAccess } from '../../client/transport/http-client.ts';
import { controlPaths } from '../api-server/control-endpoints.ts';
import { OperationError } from '../operation-error.ts';

/** Thousands of nodes register meanwhile. */
const answerMsMax = 300_000;

/** A client for as long as one command takes: in real time, and without a word in any log. */
export const commandClient = (access: Access): HTTPAccess =>
  createHTTPClient({ ...access, clock: realClock, random: realRandom, log: silentLog });

/** Resolves when they are there; `kubeconfig` is the administrator's, its text. */
export async function setSimulatedNodes(kubeconfig: string, count: number): Promise<void> {
  await using client = commandClient(await accessOf(await parseKubeconfig(kubeconfig)));
  try {
    await client.put(`${controlPaths.simulatedNodes}?count=${count}`, { timeoutMs: answerMsMax });
  } catch (error) {
    if (!isStatusError(error)) throw error;
    const message = `the cluster did not change its simulated nodes: ${error.message}`;
    throw new OperationError({ code: 'control-failed', message, fix: 'see `timonier logs`' });
  }
}
