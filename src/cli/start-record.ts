/**
 * A start in the record of the cluster's settings: what it is to use, kept when it was ready and forgotten when it
 * failed. `up` and `run` share it.
 */
import { existsSync } from 'node:fs';
import { isPortFree, listenError } from '../cluster/api-server/api-port.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Facts } from '../cluster/instance/condition.ts';
import { refuseLost } from '../cluster/instance/find-instance.ts';
import type { Instance } from '../cluster/instance/instance.ts';
import { readLeftProcess, readSupervision } from '../cluster/instance/supervision.ts';
import { explainFailure } from '../cluster/machine/explain-failure.ts';
import { OperationError } from '../cluster/operation-error.ts';
import { checkNetworksUnchanged, readNetworks } from '../cluster/settings/address-plan.ts';
import { configDefaults } from '../cluster/settings/config.ts';
import { checkParts } from '../cluster/settings/parts.ts';
import {
  changesOf,
  describeSettingChange,
  mergeSettings,
  provedSettings,
  type SettingChange,
  type Settings,
  type SettingsRecord,
} from '../cluster/settings/settings.ts';
import type { Output } from './output.ts';
import { checkKubeconfig, type Destination, destinationOf, type Placed, placeKubeconfig, refreshKubeconfigs } from './user-kubeconfig.ts';

export interface PlannedStart {
  readonly settings: Settings;
  /** from what it was last ready with */
  readonly changes: readonly SettingChange[];
  readonly record: SettingsRecord;
  readonly destination: Destination;
}

/** What a start is to use, before anything is written. */
export async function prepareStart(instance: Instance, given: Settings): Promise<PlannedStart> {
  await refuseLost(instance);
  const recorded = instance.readSettings();
  checkParts(instance, recorded, given.config);
  const { kept, kubeconfigs, made = [] } = recorded ?? { kubeconfigs: [] };
  const merged = mergeSettings(kept, given);
  const { host = configDefaults.host, port = 0 } = merged.config;
  const isTaken = given.config.port === 0 && port !== 0 && !(await isPortFree(host, port));
  if (!isBeingStarted(instance)) await refuseListening(host, isTaken ? 0 : port);
  const settings = isTaken ? { ...merged, config: { ...merged.config, port: 0 } } : merged;
  const destination = destinationOf(settings.kubeconfig);
  await checkKubeconfig(destination.file);
  const before = kept && withNetworks(kept, instance, given);
  const record = {
    name: instance.name,
    kept,
    next: settings,
    kubeconfigs: withFile(kubeconfigs, destination.file),
    made: withMade(made, destination),
  };
  return { settings, changes: before ? changesOf(before, mergeSettings(before, settings)) : [], record, destination };
}

/** Its own process may have its port already. */
const isBeingStarted = (instance: Instance): boolean =>
  (readSupervision(instance.dir) ?? readLeftProcess(instance.dir) ?? instance.startingInForeground) !== undefined;

/** A port that is taken, an address that is no one's: before the first phase. What is not known is told by who listens. */
async function refuseListening(host: string, port: number): Promise<void> {
  const error = await listenError(host, port);
  const known = explainFailure(error);
  if (known) throw new OperationError({ message: String(error?.message), ...known });
}

/** With those that were chosen for it, which stay as they are. */
export function withNetworks(settings: Settings, { dir }: Instance, given: Settings): Settings {
  const networks = readNetworks(dir);
  if (!networks) return settings;
  checkNetworksUnchanged(given.config, networks);
  const { number: _, ...ranges } = networks;
  return { ...settings, config: { ...ranges, ...settings.config } };
}

/** What `up` has planned for its background process, or what a process that is started again had. */
export function plannedStart(instance: Instance): PlannedStart {
  const record = instance.readSettings();
  const settings = record?.next ?? record?.kept;
  if (!record || !settings) {
    const message = `${instance.dir} does not say what to start`;
    throw new OperationError({ code: 'file-damaged', message, fix: `timonier up ${instance.name}` });
  }
  return { settings, changes: [], record, destination: destinationOf(settings.kubeconfig) };
}

/** What is not there yet is made for this cluster. */
export const withMade = (made: readonly string[], { file }: Destination): string[] => (existsSync(file) ? [...made] : withFile(made, file));

/** The last one first. */
export const withFile = (files: readonly string[], file: string): string[] => [file, ...files.filter((each) => each !== file)];

/** A running cluster does not take these over. `why`: of one that does not run. */
export function refuseRestart(name: string, changes: readonly SettingChange[], why = 'has to be stopped for this'): void {
  const restarting = changes.filter(({ needsRestart }) => needsRestart);
  if (restarting.length === 0) return;
  throw new OperationError({
    code: 'needs-restart',
    message: `cluster "${name}" ${why}: ${restarting.map(describeSettingChange).join('; ')}`,
    fix: `timonier down ${name}, then the same command again`,
  });
}

/** Nor does one whose process died, while that is being started again, or while pods of it still run as they were. */
export function refuseRestartOfDead(name: string, changes: readonly SettingChange[], facts: Pick<Facts, 'supervision' | 'leftPods'>): void {
  const { supervision, leftPods = 0 } = facts;
  if (supervision) refuseRestart(name, changes);
  const pods = leftPods === 1 ? 'a pod of it, which still runs, has' : `${leftPods} pods of it, which still run, have`;
  if (leftPods > 0) refuseRestart(name, changes, `has crashed, and ${pods} to end for this`);
}

/** People are told of the kubeconfig when it is there: the one before is still good. */
export function tellChanges(changes: readonly SettingChange[], output: Output): void {
  for (const change of changes) {
    if (change.setting !== 'kubeconfig') output.line(`  ${describeSettingChange(change)}`);
    output.event({ event: 'changed', setting: change.setting, from: change.from, to: change.to });
  }
}

/** The cluster is ready: that is how it is started from now on. */
export async function keepStart(instance: Instance, { settings, record, destination }: PlannedStart, cluster: Cluster): Promise<Placed> {
  const placed = await placeKubeconfig(instance, cluster.kubeconfig, destination);
  const others = record.kubeconfigs.filter((file) => file !== destination.file);
  const kubeconfigs = [destination.file, ...(await refreshKubeconfigs(others, cluster.kubeconfig))];
  const kept = provedSettings(settings, { nodes: cluster.nodes, port: Number(new URL(cluster.server).port) });
  instance.writeSettings({ ...record, kept, next: undefined, kubeconfigs });
  return placed;
}

/** It failed, if it has not been kept: the settings are those before. Not when the cluster was deleted meanwhile. */
export function forgetStart(instance: Instance): void {
  const record = instance.readSettings();
  if (record?.next) instance.writeSettings({ ...record, next: undefined });
}
