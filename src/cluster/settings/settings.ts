/**
 * What a cluster is: its settings, as flags, a file and its earlier starts have made them. `settings.json` of its
 * directory keeps them, and is the only place that does; a start without flags takes them as they are, a flag changes
 * what it names. What a start is to use and has not proved yet lies beside them, so that one that fails changes nothing.
 *
 * Networks are kept by address-plan.ts: they are chosen once, and never change.
 */
import { join } from 'node:path';
import { own } from '../../api/meta/words.ts';
import { isProcessId, type KnownProcess } from '../../client/processes.ts';
import { type LogLevel, logLevels } from '../log/logging.ts';
import { OperationError } from '../operation-error.ts';
import { version } from '../version.ts';
import { type ClusterConfig, checkConfig, configDefaults } from './config.ts';
import { readKept, writeKept } from './kept-file.ts';

export interface Settings {
  readonly config: ClusterConfig;
  /** the file that was asked for, absolute; absent: the user's own */
  readonly kubeconfig?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
}

export interface SettingsRecord {
  /** which cluster the directory is */
  readonly name: string;
  /** what it was last ready with; absent: it never was */
  readonly kept?: Settings | undefined;
  /** what it is being started with */
  readonly next?: Settings | undefined;
  /** the files that have its context */
  readonly kubeconfigs: readonly string[];
  /** those of them that were made for it */
  readonly made?: readonly string[] | undefined;
  /** which made it, and takes it along in the end */
  readonly ci?: CiProcess | undefined;
}

/** Of `timonier ci`. */
export interface CiProcess extends KnownProcess {
  /** where its command's files are */
  readonly dir: string;
}

interface Stored extends SettingsRecord {
  readonly format: number;
  /** of timonier, which wrote it */
  readonly version: string;
}

export const settingsFile = 'settings.json';
/** A new one for what older versions can't read. */
const format = 1;
const kubeconfigsMax = 16;

/** Undefined: there is none. */
export function readSettings({ name, dir }: { readonly name: string; readonly dir: string }): SettingsRecord | undefined {
  const file = join(dir, settingsFile);
  const fix = `put it back from a copy; or remove it, then timonier up ${name} --nodes N --port P; or timonier delete ${name}`;
  const stored = readKept<Stored & Record<string, unknown>>(file, isReadable, fix);
  if (!stored) return undefined;
  if (stored.format === undefined) return { name, kept: { config: checkConfig(stored, file) }, kubeconfigs: [] }; // before there was a number
  if (stored.format > format) {
    throw new OperationError({
      code: 'other-version',
      message: `timonier ${stored.version} keeps the cluster "${name}" in a newer form than ${version} reads`,
      fix: `start it with that version; or give it up: timonier delete ${name}`,
    });
  }
  const checked = (settings: Settings): Settings => ({ ...settings, config: checkConfig(settings.config, file) });
  const { kept, next, ...rest } = stored;
  return { ...rest, kept: kept && checked(kept), next: next && checked(next) };
}

function isReadable(value: Partial<Stored>): boolean {
  if (Array.isArray(value)) return false;
  if (!('format' in value)) return !('kept' in value) && !('next' in value);
  if (typeof value.format !== 'number') return false;
  if (value.format > format) return true;
  const { name, kept, next, kubeconfigs, made = [], ci } = value;
  return (
    typeof name === 'string' &&
    isTexts(kubeconfigs) &&
    isTexts(made) &&
    (ci === undefined || (typeof ci?.dir === 'string' && isProcessId(ci.pid))) &&
    [kept, next].every((each) => each === undefined || isSettings(each))
  );
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((each) => typeof each === 'string');

function isSettings(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { config, kubeconfig, logLevel } = value as Partial<Settings>;
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return false;
  return (kubeconfig === undefined || typeof kubeconfig === 'string') && (logLevel === undefined || logLevels.includes(logLevel));
}

export function writeSettings(dir: string, { kubeconfigs, ...rest }: SettingsRecord): void {
  writeKept(join(dir, settingsFile), { ...rest, format, version, kubeconfigs: kubeconfigs.slice(0, kubeconfigsMax) });
}

/** `given` over `kept`. Port 0 is any port, so the one that was chosen will do. */
export function mergeSettings(kept: Settings | undefined, given: Settings): Settings {
  const config = { ...kept?.config, ...given.config };
  const port = given.config.port === 0 ? kept?.config.port : config.port;
  return {
    config: port === undefined ? config : { ...config, port },
    kubeconfig: given.kubeconfig ?? kept?.kubeconfig,
    logLevel: given.logLevel ?? kept?.logLevel,
  };
}

export interface Started {
  /** real nodes */
  readonly nodes: number;
  readonly port: number;
}

/** What a start has found out is kept: its port, and that there are real nodes, which then are no matter of chance. */
export function provedSettings({ config, ...rest }: Settings, { nodes, port }: Started): Settings {
  return { ...rest, config: { ...config, port, ...(nodes > 0 && { nodes }) } };
}

export interface SettingChange {
  readonly setting: string;
  readonly from: string;
  readonly to: string;
  /** a running cluster can't take it over */
  readonly needsRestart: boolean;
}

/** What changes while it runs, by its words for people. */
const changesLive: Readonly<Record<string, string>> = {
  simulated: 'simulated nodes',
  disable: 'add-ons that are off',
  kubeconfig: 'kubeconfig',
};

/** What is another value now, defaults counted in. */
export function changesOf(before: Settings, after: Settings): SettingChange[] {
  const [old, wanted] = [effectiveValues(before), effectiveValues(after)];
  return [...new Set([...Object.keys(old), ...Object.keys(wanted)])]
    .map((name) => ({
      setting: own(changesLive, name) ?? name,
      from: shown(own(old, name)),
      to: shown(own(wanted, name)),
      needsRestart: own(changesLive, name) === undefined,
    }))
    .filter(({ from, to }) => from !== to);
}

export const describeSettingChange = ({ setting, from, to }: SettingChange): string => `${setting}: ${from} → ${to}`;

function effectiveValues({ config, kubeconfig, logLevel }: Settings): Record<string, unknown> {
  const { nodes = 0 } = config; // kept, it would say that there are some
  return {
    nodes,
    simulated: simulatedNodesOf(config),
    ...configDefaults,
    disable: [],
    ...config,
    kubeconfig: kubeconfig ?? 'your own',
    'log level': logLevel ?? 'info',
  };
}

/** How many simulated nodes it has, where real ones are by choice alone. */
export const simulatedNodesOf = ({ nodes = 0, simulated }: ClusterConfig): number => simulated ?? (nodes === 0 ? 1 : 0);

/** For people: `api/beta=true` of a map, names of a list. */
function shown(value: unknown): string {
  if (value === undefined) return 'default';
  if (typeof value !== 'object' || value === null) return String(value);
  const words = Array.isArray(value) ? value.map(String) : Object.entries(value).map(([key, each]) => `${key}=${each}`);
  return words.join(',') || 'none';
}
