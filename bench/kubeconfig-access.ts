/** Server and client certificate of a kubeconfig's current context. */
import { accessOf, readKubeconfig } from '../src/client/files/kubeconfig.ts';
import type { Access } from './connections.ts';

export async function accessFrom(kubeconfig: string): Promise<Access> {
  const { server, ca, cert, key } = await accessOf(await readKubeconfig(kubeconfig), { path: kubeconfig });
  if (ca === undefined || cert === undefined || key === undefined)
    throw new Error(`${kubeconfig}: a certificate authority and a client certificate are needed`);
  return { server, ca, cert, key };
}
