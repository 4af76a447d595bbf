/**
 * `up` on a cluster that runs: what the call says and what the cluster is are made one. A kubeconfig is written, simulated
 * nodes come and go; what needs a restart is refused before anything is done. Without flags nothing is left to
 * do, unless the context is not where a first start would write it.
 */
import type { Instance, InstanceState } from '../cluster/instance/instance.ts';
import { changesOf, mergeSettings, type Settings, type SettingsRecord } from '../cluster/settings/settings.ts';
import type { Output } from './output.ts';
import { refuseRestart, tellChanges, withFile, withMade, withNetworks } from './start-record.ts';
import { checkKubeconfig, destinationOf, isPlaced, placeKubeconfig } from './user-kubeconfig.ts';

export async function changeRunning(instance: Instance, running: InstanceState, given: Settings, output: Output): Promise<void> {
  const { name } = instance;
  const record: Omit<SettingsRecord, 'name'> = instance.readSettings() ?? { kubeconfigs: [] };
  const { kept, kubeconfigs, made = [] } = record;
  const now = withNetworks(asRunning(kept, running), instance, given);
  const wanted = mergeSettings(now, given);
  const changes = changesOf(now, wanted);
  refuseRestart(name, changes);
  const wantedDestination = destinationOf(wanted.kubeconfig);
  await checkKubeconfig(wantedDestination.file);
  const isMissing = !(await isPlaced(instance, wantedDestination)); // $KUBECONFIG may be another one now
  const destination = given.kubeconfig !== undefined || isMissing ? wantedDestination : undefined;
  const madeAfter = destination ? withMade(made, destination) : made;
  let state: InstanceState = running;
  const simulated = wanted.config.simulated ?? running.simulated;
  if (simulated !== running.simulated) {
    const { setSimulatedNodes } = await import('../cluster/instance/control-client.ts');
    await setSimulatedNodes(instance.readKubeconfig(), simulated);
    state = { ...state, simulated };
  }
  const disable = wanted.config.disable ?? [];
  const isSwitched = changesOf(now, { ...now, config: { ...now.config, disable } }).length > 0;
  if (isSwitched) {
    const { disableAddons } = await import('../cluster/instance/control-client.ts');
    await disableAddons(instance.readKubeconfig(), disable);
  }
  if (destination) state = { ...state, ...(await placeKubeconfig(instance, instance.readKubeconfig(), destination)) };
  if (state !== running || isSwitched) {
    const files = destination ? withFile(kubeconfigs, destination.file) : kubeconfigs;
    instance.writeSettings({ ...record, kept: mergeSettings(kept ?? now, given), kubeconfigs: files, made: madeAfter });
    instance.writeState(state);
  }
  output.line(`Cluster "${name}" runs already, at ${running.server} (process ${running.pid}).`);
  tellChanges(changes, output);
  if (destination || state.ownKubeconfig) output.line(`Its kubeconfig: ${state.kubeconfig}`);
  output.event({ event: 'ready', name, server: running.server, kubeconfig: state.kubeconfig, alreadyRunning: true });
}

/** What it was started with, and how many nodes came of it. */
function asRunning(kept: Settings | undefined, { nodes, simulated, server }: InstanceState): Settings {
  return { ...kept, config: { port: Number(new URL(server).port), ...kept?.config, nodes, simulated } };
}
