/** Tells a running cluster something, as its administrator: control-endpoints.ts answers. */
import { isStatusError } from '../../api/meta/status-error.ts';
import { accessOf, parseKubeconfig } from '../../client/kubeconfig.ts';
import { controlPaths } from '../api-server/control-endpoints.ts';
import { OperationError } from '../operation-error.ts';
import { commandClient } from './command-client.ts';

/** Thousands of nodes register meanwhile. */
const answerMsMax = 300_000;

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
