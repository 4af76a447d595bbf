/** `timonier image load`, `image ls` and `image rm`: images of a cluster's real nodes, without a registry. */
import type { Command } from 'commander';
import type { ListedImage, LoadedImage, RemovedImage } from '../../cluster/images/images.ts';
import { runningInstance } from '../../cluster/instance/find-instance.ts';
import { sayWhenInterrupted } from '../interruption.ts';
import { createOutput, renderColumns } from '../output.ts';
import { nameOption } from './cluster-flags.ts';

export function addImage(program: Command): void {
  const image = program.command('image').description('images of the real nodes');
  image
    .command('load')
    .description('load images into every real node: archives, images of Docker or Podman by name, or - for a pipe')
    .argument('<FILE...>', 'archives (tar, also gzip or zstd), names of images, or -')
    .addOption(nameOption())
    .option('--json', 'one JSON value per event')
    .action(async (sources: string[], flags: { clusterName: string; json?: boolean }) => {
      const output = createOutput(flags.json === true);
      const { instance, state } = await runningInstance(flags.clusterName);
      let count = 0;
      using _word = sayWhenInterrupted(() => ({ left: `${count === 0 ? 'no image' : 'only what is listed'} is loaded` }), output.json);
      const { loadImages } = await import('../../cluster/images/images.ts');
      const onLoaded = (loaded: LoadedImage): void => {
        count++;
        output.line(describeLoaded(loaded));
        output.event({ event: 'loaded', ...loaded });
      };
      await loadImages(instance, state, { sources, stdin: process.stdin, onLoaded });
    });
  image
    .command('ls')
    .description('the images that the real nodes have')
    .addOption(nameOption())
    .option('--json', 'as JSON')
    .action(async (flags: { clusterName: string; json?: boolean }) => {
      const output = createOutput(flags.json === true);
      const { instance, state } = await runningInstance(flags.clusterName);
      const { listImages } = await import('../../cluster/images/images.ts');
      const images = await listImages(instance, state);
      output.event({ images });
      for (const line of renderColumns([['IMAGE', 'SIZE', 'NODE'], ...imageRows(images)])) output.line(line);
    });
  image
    .command('rm')
    .description('remove images from every real node, by name')
    .argument('<NAME...>', 'names, as `image ls` shows them')
    .addOption(nameOption())
    .option('--json', 'one JSON value per event')
    .action(async (names: string[], flags: { clusterName: string; json?: boolean }) => {
      const output = createOutput(flags.json === true);
      const { instance, state } = await runningInstance(flags.clusterName);
      const { removeImages } = await import('../../cluster/images/images.ts');
      const onRemoved = (removed: RemovedImage): void => {
        output.line(`removed ${shortName(removed.image)}${onNodes(removed.nodes)}`);
        output.event({ event: 'removed', ...removed });
      };
      await removeImages(instance, state, { names, onRemoved });
    });
}

const onNodes = (nodes: readonly unknown[]): string => (nodes.length > 1 ? ` on ${nodes.length} nodes` : '');

/** `loaded bakery:1.0  4.2 MB (3 of 5 layers were there)  0.4 s` */
export function describeLoaded({ image, sizeBytes, layers, durationMs, nodes }: LoadedImage): string {
  const there = describeThere(
    nodes.map(({ layersThere }) => layersThere),
    layers,
  );
  return `loaded ${shortName(image)}${onNodes(nodes)}  ${megabytes(sizeBytes)}${there}  ${(durationMs / 1000).toFixed(1)} s`;
}

function describeThere(perNode: readonly number[], layers: number): string {
  const [least, most] = [Math.min(...perNode), Math.max(...perNode)];
  if (most === 0) return '';
  if (least === layers) return layers === 1 ? ' (its layer was there)' : ` (all ${layers} layers were there)`;
  return ` (${least === most ? least : `${least} to ${most}`} of ${layers} layers ${most === 1 ? 'was' : 'were'} there)`;
}

/** One row for each image, with the nodes that have it. */
export function imageRows(images: readonly ListedImage[]): string[][] {
  const rows = new Map<string, { size: number; nodes: string[] }>();
  for (const { name, node, sizeBytes } of images) {
    const row = rows.get(name);
    if (row) row.nodes.push(node);
    else rows.set(name, { size: sizeBytes, nodes: [node] });
  }
  return [...rows].map(([name, { size, nodes }]) => [shortName(name), megabytes(size), nodes.join(',')]);
}

/** As people write it, and as pods may name it. */
const shortName = (name: string): string => name.replace(/^docker\.io\/(library\/)?/, '');
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
