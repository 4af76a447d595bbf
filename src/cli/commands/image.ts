/** `timonier image load` and `image ls`: images of a cluster's real nodes, without a registry. */
import type { Command } from 'commander';
import { runningInstance } from '../../cluster/find-instance.ts';
import { createOutput, renderColumns } from '../output.ts';

export function addImage(program: Command): void {
  const image = program.command('image').description('images of the real nodes');
  image
    .command('load')
    .description('load OCI or docker archives into every real node')
    .argument('<FILE...>', 'archives (tar)')
    .option('--cluster-name <NAME>', 'the cluster’s name', 'default')
    .option('--json', 'one JSON value per event')
    .action(async (files: string[], flags: { clusterName: string; json?: boolean }) => {
      const output = createOutput(flags.json === true);
      const { instance, state } = await runningInstance(flags.clusterName);
      const { loadImages } = await import('../../cluster/images.ts');
      for (const loaded of await loadImages(instance, state, files)) {
        output.line(`${loaded.node}: ${loaded.images.join(', ')}`);
        output.event({ event: 'loaded', ...loaded });
      }
    });
  image
    .command('ls')
    .description('the images that the real nodes have')
    .option('--cluster-name <NAME>', 'the cluster’s name', 'default')
    .option('--json', 'as JSON')
    .action(async (flags: { clusterName: string; json?: boolean }) => {
      const output = createOutput(flags.json === true);
      const { instance, state } = await runningInstance(flags.clusterName);
      const { listImages } = await import('../../cluster/images.ts');
      const images = await listImages(instance, state);
      output.event({ images });
      const rows = images.map((i) => [i.node, i.name, `${(i.sizeBytes / 1e6).toFixed(2)} MB`]);
      for (const line of renderColumns([['NODE', 'IMAGE', 'SIZE'], ...rows])) output.line(line);
    });
}
