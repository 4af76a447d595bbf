/** `timonier addons`: what a cluster has beside Kubernetes itself, and switching it off and on, now and for later starts. */
import type { Command } from 'commander';
import { addons } from '../../addons/addons.ts';
import { checkAddonNames } from '../../cluster/addons.ts';
import { readFacts } from '../../cluster/instance/condition.ts';
import { existingInstance } from '../../cluster/instance/find-instance.ts';
import type { Instance } from '../../cluster/instance/instance.ts';
import { mergeSettings } from '../../cluster/settings/settings.ts';
import { createOutput, renderColumns } from '../output.ts';
import { nameOption } from './cluster-flags.ts';

interface Flags {
  readonly clusterName: string;
  readonly json?: boolean;
}

export function addAddons(program: Command): void {
  const group = program.command('addons').description('what the cluster has beside Kubernetes itself');
  group
    .command('list', { isDefault: true })
    .alias('ls')
    .description('the add-ons, and whether they are on')
    .addOption(nameOption())
    .option('--json', 'as JSON')
    .action(async ({ clusterName, json }: Flags) => {
      const output = createOutput(json === true);
      const states = await statesOf(await existingInstance(clusterName));
      output.event({ addons: states });
      const rows = states.map(({ name, state, version, about, problem, note }) => [name, state, version ?? '-', problem ?? note ?? about]);
      for (const line of renderColumns([['NAME', 'STATE', 'VERSION', 'WHAT'], ...rows])) output.line(line);
    });
  for (const verb of ['enable', 'disable'] as const) {
    group
      .command(verb)
      .description(verb === 'enable' ? 'switch add-ons on' : 'switch add-ons off, and take away what they brought')
      .argument('<NAME...>', 'as `addons list` shows them')
      .addOption(nameOption())
      .option('--json', 'as JSON')
      .action(async (names: string[], { clusterName, json }: Flags) => {
        const output = createOutput(json === true);
        checkAddonNames(names);
        await change(await existingInstance(clusterName), verb, names);
        for (const name of names) output.line(`${name} is ${verb === 'enable' ? 'on' : 'off'}`);
        output.event({ event: verb, addons: names });
      });
  }
}

interface Shown {
  readonly name: string;
  readonly about: string;
  readonly state: 'on' | 'off' | 'failing' | 'stopped';
  readonly problem?: string | undefined;
  readonly note?: string | undefined;
  readonly version?: string | undefined;
}

/** Of a cluster that does not run, what its next start will have is not on yet. */
async function statesOf(instance: Instance): Promise<readonly Shown[]> {
  if ((await readFacts(instance)).serving) {
    const { readAddons } = await import('../../cluster/instance/control-client.ts');
    const states = await readAddons(instance.readKubeconfig());
    return states.map(({ on, ...rest }) => ({ ...rest, state: rest.problem !== undefined ? 'failing' : on ? 'on' : 'off' }));
  }
  const off: readonly string[] = instance.readSettings()?.kept?.config.disable ?? [];
  return addons.map(({ name, about }) => ({ name, about, state: off.includes(name) ? 'off' : 'stopped' }));
}

async function change(instance: Instance, verb: 'enable' | 'disable', named: readonly string[]): Promise<void> {
  const names = [...new Set(named)];
  const record = instance.readSettings() ?? { name: instance.name, kubeconfigs: [] };
  const others = (record.kept?.config.disable ?? []).filter((name) => !names.includes(name));
  const disable = verb === 'enable' ? others : [...others, ...names];
  instance.writeSettings({ ...record, kept: mergeSettings(record.kept, { config: { disable } }) }); // one that fails is tried again
  if (!(await readFacts(instance)).serving) return;
  const { disableAddons } = await import('../../cluster/instance/control-client.ts');
  await disableAddons(instance.readKubeconfig(), disable);
}
