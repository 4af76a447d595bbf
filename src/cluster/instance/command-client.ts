/** A client for as long as one command takes: in real time, and without a word in any log. */
import { realClock, realRandom } from '../../client/clock.ts';
import { createHTTPClient, type HTTPAccess } from '../../client/http-client.ts';
import type { Access } from '../../client/kubeconfig.ts';
import { silentLog } from '../../client/log.ts';

export const commandClient = (access: Access): HTTPAccess =>
  createHTTPClient({ ...access, clock: realClock, random: realRandom, log: silentLog });
