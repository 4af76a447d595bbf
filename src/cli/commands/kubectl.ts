/** `timonier kubectl …`: kubectl from the PATH, or the one that the development dependencies bring, on a cluster. */
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { runningInstance } from '../../cluster/find-instance.ts';
import { findProgram } from '../../cluster/machine.ts';
import { OperationError } from '../../cluster/operation-error.ts';
import { bundledKubectl } from '../bundled-kubectl.ts';

export function addKubectl(program: Command): void {
  program
    .command('kubectl')
    .description('kubectl on this cluster; --cluster-name NAME first for another than `default`')
    .option('--cluster-name <NAME>', 'the cluster’s name', 'default')
    .argument('[ARGS...]', 'kubectl’s own words')
    .passThroughOptions()
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[], flags: { clusterName: string }) => {
      const { instance } = await runningInstance(flags.clusterName);
      const kubectl = await findKubectl();
      if (!kubectl)
        throw new OperationError({
          code: 'no-kubectl',
          message: 'kubectl was not found',
          fix: 'install kubectl, or run from a checkout, whose development dependencies bring it',
        });
      const child = spawn(kubectl, args, { stdio: 'inherit', env: { ...process.env, KUBECONFIG: instance.kubeconfig } });
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', (code, signal) => resolve(code ?? (signal ? 130 : 1)));
      });
    });
}

export const findKubectl = async (): Promise<string | undefined> => findProgram('kubectl') ?? (await bundledKubectl());
