/** What a kubeconfig that the user names leads to. */
import { readFileSync } from 'node:fs';
import { type Access, accessOf, parseKubeconfig } from '../client/kubeconfig.ts';
import { OperationError } from '../cluster/operation-error.ts';

export async function accessFrom(path: string): Promise<Access> {
  try {
    return await accessOf(await parseKubeconfig(readFileSync(path, 'utf8')), { path });
  } catch (cause) {
    const fix = 'give a kubeconfig whose current context leads to the API server';
    throw new OperationError({ code: 'bad-kubeconfig', message: `can't use ${path}`, fix, cause });
  }
}
