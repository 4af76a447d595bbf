/**
 * `timonier example`: an application to try things on. Its manifests are put into a directory of one's own, to be read
 * and changed; its images go to the real nodes of a running cluster. Applying them is left to who tries it.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ownFile } from '../../api/own-file.ts';
import { bakeryVersions, buildBakery } from '../../cluster/images/bakery-image.ts';
import { kubeconfigInMemory, usualCluster } from '../../cluster/instance/cluster-name.ts';
import { Instance, type InstanceState, listInstances } from '../../cluster/instance/instance.ts';
import { OperationError } from '../../cluster/operation-error.ts';
import { createOutput, type Output } from '../output.ts';
import { nameOption } from './cluster-flags.ts';
import { describeLoaded } from './image.ts';

const examples: Readonly<Record<'bakery', string>> = {
  bakery: 'a page behind a Service, a Job that bakes six loaves, a van on every node',
};

interface ExampleFlags {
  readonly clusterName: string;
  readonly json?: boolean;
}

export function addExample(program: Command): void {
  program
    .command('example')
    .description('an application to try: its manifests in a directory, its images on the real nodes')
    .argument('[EXAMPLE]', 'which one; without it, what there is')
    .argument('[DIR]', 'where its manifests go (default: ./EXAMPLE)')
    .addOption(nameOption())
    .option('--json', 'one JSON value per event')
    .action(async (name: string | undefined, dir: string | undefined, flags: ExampleFlags) => {
      const output = createOutput(flags.json === true);
      if (name === undefined) {
        for (const [each, what] of Object.entries(examples)) output.line(`${each}   ${what}`);
        output.event({ examples: Object.keys(examples) });
        return;
      }
      if (!Object.hasOwn(examples, name)) {
        const fix = `there is: ${Object.keys(examples).join(', ')}`;
        throw new OperationError({ code: 'no-such-example', message: `there is no example "${name}"`, fix });
      }
      await putExample(name, dir ?? name, { ...flags, output });
    });
}

async function putExample(name: string, dir: string, { clusterName, output }: ExampleFlags & { readonly output: Output }): Promise<void> {
  const files = writeManifests(ownFile(`../examples/${name}/manifests`), dir);
  output.line(`${dir}: ${files.length} manifests`);
  output.event({ event: 'written', dir, files });
  const instance = new Instance(clusterName);
  const state = instance.running();
  const nodes = kubeconfigInMemory(clusterName) === undefined ? state?.nodes : 0;
  if (state && state.nodes > 0) await loadBakery(instance, state, output);
  else if (nodes === 0) output.line(`No image is needed: the nodes of cluster "${clusterName}" are simulated.`);
  const others = nodes !== undefined ? [] : listInstances().filter((each) => each.running() && each.name !== clusterName);
  for (const line of nextCommands({ dir, clusterName, nodes, others: others.map((each) => each.name) })) output.line(line);
}

/** Gives their names. A directory that holds something else is left alone. */
function writeManifests(from: string, dir: string): string[] {
  const files = readdirSync(from);
  const differs = (file: string): boolean =>
    existsSync(join(dir, file)) && readFileSync(join(dir, file), 'utf8') !== readFileSync(join(from, file), 'utf8');
  const changed = files.find(differs);
  if (changed !== undefined) {
    const message = `${join(dir, changed)} is there already, and is another`;
    throw new OperationError({ code: 'file-exists', message, fix: 'name another directory: timonier example bakery DIR' });
  }
  try {
    mkdirSync(dir, { recursive: true });
    for (const file of files) cpSync(join(from, file), join(dir, file));
  } catch (cause) {
    throw new OperationError({ code: 'bad-dir', message: `can't write to ${dir}`, fix: 'name another directory', cause });
  }
  return files;
}

async function loadBakery(instance: Instance, state: InstanceState, output: Output): Promise<void> {
  const { loadImages } = await import('../../cluster/images/images.ts');
  await loadImages(instance, state, {
    sources: bakeryVersions.map((version) => buildBakery(version)),
    stdin: process.stdin,
    onLoaded: (loaded) => {
      output.line(describeLoaded(loaded));
      output.event({ event: 'loaded', ...loaded });
    },
  });
}

interface Next {
  readonly dir: string;
  readonly clusterName: string;
  /** real ones; undefined: it does not run */
  readonly nodes: number | undefined;
  /** that run instead */
  readonly others: readonly string[];
}

const othersShownMax = 5;

/** The last one shows what the nodes can do. */
export function nextCommands({ dir, clusterName, nodes, others }: Next): string[] {
  const named = clusterName === usualCluster() ? '' : ` --cluster-name ${clusterName}`;
  const kubectl = `timonier kubectl${named}`;
  if (nodes === undefined && others.length > 0) {
    const again = others.slice(0, othersShownMax).map((other) => `  timonier example bakery ${dir} --cluster-name ${other}`);
    return [`No cluster "${clusterName}" runs; for one that does:`, '', ...again];
  }
  if (nodes === undefined) {
    const up = `timonier up${clusterName === usualCluster() ? '' : ` ${clusterName}`}`;
    return [`No cluster "${clusterName}" runs: start it, then say this again.`, '', `  ${up}`, `  timonier example bakery ${dir}${named}`];
  }
  const look = nodes > 0 ? 'exec deployment/front -c front -- wget -qO- http://front' : 'get pods,jobs,services -o wide';
  return ['', `  ${kubectl} apply -f ${dir}`, `  ${kubectl} -n bakery rollout status deployment/front`, `  ${kubectl} -n bakery ${look}`];
}
