/** Tells a running cluster something, as its administrator: control-endpoints.ts answers. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { parseJSON } from '../../api/schema/json-scan.ts';
import { accessOf, parseKubeconfig } from '../../client/kubeconfig.ts';
import { controlPaths } from '../api-server/control-endpoints.ts';
import { OperationError } from '../operation-error.ts';

/** Thousands of nodes register meanwhile. */
const answerMsMax = 300_000;

/** Resolves when they are there; `kubeconfig` is the administrator's, its text. */
export async function setSimulatedNodes(kubeconfig: string, count: number): Promise<void> {
  const { server, ca, cert, key } = await accessOf(await parseKubeconfig(kubeconfig));
  const sent = request(new URL(`${controlPaths.simulatedNodes}?count=${count}`, server), {
    method: 'PUT',
    ca,
    cert,
    key,
    agent: false,
    signal: AbortSignal.timeout(answerMsMax),
  });
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const body = await text(answer);
  if (answer.statusCode === 200) return;
  const fix = 'see `timonier logs`';
  throw new OperationError({ code: 'control-failed', message: `the cluster did not change its simulated nodes: ${messageOf(body)}`, fix });
}

/** Of a Status, else the text. */
function messageOf(body: string): string {
  try {
    return String((parseJSON(body) as { readonly message?: unknown }).message);
  } catch {
    return body.slice(0, 200);
  }
}
