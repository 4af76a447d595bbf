/** How commands are told which cluster they are for; the flags that `up` and `run` share, and how they, the config file and the machine become a configuration. */
import { resolve } from 'node:path';
import { Argument, type Command, Option } from 'commander';
import { addonNames } from '../../addons/addons.ts';
import { clusterVariable, usualCluster } from '../../cluster/instance/cluster-name.ts';
import type { Instance } from '../../cluster/instance/instance.ts';
import { type LogLevel, logLevels } from '../../cluster/log/logging.ts';
import { OperationError } from '../../cluster/operation-error.ts';
import { flagsGiven } from '../../cluster/settings/check-settings.ts';
import { type ClusterConfig, checkConfig, readConfigFile } from '../../cluster/settings/config.ts';
import type { Settings } from '../../cluster/settings/settings.ts';

/** What a cluster is like. */
export interface SettingFlags {
  readonly nodes?: string;
  readonly simulated?: string;
  /** its older name */
  readonly hollow?: string;
  readonly install?: boolean;
  readonly port?: string;
  readonly host?: string;
  readonly httpPort?: string;
  readonly httpsPort?: string;
  readonly runtimeConfig?: string;
  readonly controllers?: string;
  readonly disableAdmissionPlugins?: string;
  readonly auditPolicyFile?: string;
  readonly auditLogPath?: string;
  readonly auditLogMaxsize?: string;
  readonly auditLogMaxbackup?: string;
  readonly auditLogMaxage?: string;
  readonly store?: string;
  readonly etcdServers?: string;
  readonly etcdCafile?: string;
  readonly etcdCertfile?: string;
  readonly etcdKeyfile?: string;
  readonly etcdPrefix?: string;
  readonly disable?: string;
  readonly config?: string;
  readonly timeout: string;
  readonly json?: boolean;
  readonly logLevel?: LogLevel | undefined;
  /** by `up`: everything is as the cluster's directory says */
  readonly kept?: boolean;
}

/** And where it is. */
export interface ClusterFlags extends SettingFlags {
  readonly dataDir?: string;
  readonly kubeconfig?: string;
}

const unnamed = `$${clusterVariable}, else default`;

/** Of a command that is about one cluster. */
export const nameArgument = (): Argument => new Argument('[NAME]', 'the cluster’s name').default(usualCluster(), unnamed);

/** The same, of one whose arguments are something else. */
export const nameOption = (): Option => new Option('--cluster-name <NAME>', 'the cluster’s name').default(usualCluster(), unnamed);

export function addClusterFlags(command: Command): Command {
  const auditLog = 'audit.log in the cluster’s directory';
  return addSettingFlags(command, { nodes: '1 where they are possible', port: '6443, or the next that is free', auditLog })
    .addArgument(nameArgument())
    .option('--data-dir <DIR>', 'keep everything there (default: /var/lib/timonier/NAME for root, else ~/.local/share/timonier/NAME)')
    .option('--kubeconfig <FILE>', 'write the kubeconfig there, not into your own');
}

/** `defaults`: as the help says them. */
export function addSettingFlags(command: Command, defaults: Readonly<Record<'nodes' | 'port' | 'auditLog', string>>): Command {
  return command
    .option('--nodes <N>', `real nodes on this machine (default: ${defaults.nodes})`)
    .option('--simulated <N>', 'simulated nodes (default: 1 when there is no real one)')
    .addOption(new Option('--hollow <N>', 'the same').hideHelp())
    .option('--install', 'install what is missing (Debian and Ubuntu, as root, by apt)')
    .option('--port <P>', `the API’s port; 0 takes a free one (default: ${defaults.port})`)
    .option('--host <ADDRESS>', 'where the API listens; 0.0.0.0 is everywhere (default: 127.0.0.1)')
    .option('--http-port <P>', 'where Ingresses are served; 0 takes a free one (default: 80, or one from 8080 on)')
    .option('--https-port <P>', 'the same by TLS (default: 443, or one from 8443 on)')
    .option(
      '--runtime-config <API=true|false,...>',
      'turn APIs on or off: api/all, api/beta, GROUP/VERSION, GROUP/VERSION/RESOURCE',
      joined,
    )
    .option('--controllers <LIST|none>', 'which controllers run, as kube-controller-manager: *,-job-controller (default: all)', joined)
    .option('--disable-admission-plugins <LIST>', 'admission plugins to turn off, as kube-apiserver: ServiceAccount', joined)
    .option('--audit-policy-file <FILE>', 'keep an audit log, as this Policy of audit.k8s.io/v1 says')
    .option('--audit-log-path <FILE>', `where (default: ${defaults.auditLog})`)
    .option('--audit-log-maxsize <MIB>', 'rotate it at this size (default: 100)')
    .option('--audit-log-maxbackup <N>', 'rotated files that stay; 0 is all (default: 100)')
    .option('--audit-log-maxage <DAYS>', 'days that they stay; 0 is for ever (default: 366)')
    .option('--store <lmdb|etcd>', 'what keeps the objects: a file here, or an etcd (default: lmdb)')
    .option('--etcd-servers <URLS>', 'where the members of that etcd listen: http://10.0.0.1:2379,...', joined)
    .option('--etcd-cafile <FILE>', 'the authority of etcd’s certificates')
    .option('--etcd-certfile <FILE>', 'a certificate to show to etcd')
    .option('--etcd-keyfile <FILE>', 'its key')
    .option('--etcd-prefix <PATH>', 'what all keys in etcd begin with (default: /registry)')
    .option('--disable <LIST|none>', `add-ons that are off: ${addonNames.join(', ')} (default: none)`, joined)
    .option('--config <FILE>', 'settings in YAML; flags win')
    .option('--timeout <S>', 'how long to wait until the cluster is ready', '120')
    .addOption(new Option('--log-level <LEVEL>', 'how much is logged (default: info)').choices(logLevels))
    .option('--json', 'one JSON value per event');
}

/** Given twice, a flag with a list has both. */
const joined = (value: string, before?: string): string => (before === undefined ? value : `${before},${value}`);

export async function configFrom(flags: SettingFlags): Promise<ClusterConfig> {
  const fromFile = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const { simulated = flags.hollow } = flags;
  const fromFlags = {
    nodes: whenGiven(flags.nodes, numberOr),
    simulated: whenGiven(simulated, numberOr),
    port: whenGiven(flags.port, numberOr),
    host: flags.host,
    httpPort: whenGiven(flags.httpPort, numberOr),
    httpsPort: whenGiven(flags.httpsPort, numberOr),
    runtimeConfig: whenGiven(flags.runtimeConfig, parsePairs),
    controllers: whenGiven(flags.controllers, parseList),
    auditPolicyFile: whenGiven(flags.auditPolicyFile, absolute),
    auditLogPath: whenGiven(flags.auditLogPath, absolute),
    auditLogMaxsize: whenGiven(flags.auditLogMaxsize, numberOr),
    auditLogMaxbackup: whenGiven(flags.auditLogMaxbackup, numberOr),
    auditLogMaxage: whenGiven(flags.auditLogMaxage, numberOr),
    disableAdmissionPlugins: whenGiven(flags.disableAdmissionPlugins, parseList),
    store: flags.store,
    etcdServers: whenGiven(flags.etcdServers, parseList),
    etcdCafile: whenGiven(flags.etcdCafile, absolute),
    etcdCertfile: whenGiven(flags.etcdCertfile, absolute),
    etcdKeyfile: whenGiven(flags.etcdKeyfile, absolute),
    etcdPrefix: flags.etcdPrefix,
    disable: whenGiven(flags.disable, (text) => parseList(text).filter((name) => name !== 'none')),
  };
  return { ...fromFile, ...checkConfig(fromFlags, flagsGiven) };
}

const whenGiven = <T>(text: string | undefined, parse: (text: string) => T): T | undefined =>
  text === undefined ? undefined : parse(text);

/** The cluster may run elsewhere than where this was said; an empty name stays one, for the message about it. */
const absolute = (file: string): string => (file === '' ? file : resolve(file));

/** What is no number stays as it was given, for the message about it. */
const numberOr = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);

const parseList = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);

/** `a=1,b` is a with 1 and b with ''. */
function parsePairs(text: string): Record<string, string> {
  const parts = text.split(',').map((part) => part.split('=', 2).map((side) => side.trim()));
  return Object.fromEntries(parts.flatMap(([name, value = '']) => (name ? [[name, value]] : [])));
}

export function timeoutMsFrom(flags: SettingFlags): number {
  const seconds = Number(flags.timeout);
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000;
  throw new OperationError({
    code: 'bad-flag',
    message: `--timeout ${flags.timeout} is no number of seconds`,
    fix: 'give seconds, such as --timeout 120',
  });
}

/** What this call says of a cluster's settings. */
export async function settingsFrom(flags: ClusterFlags): Promise<Settings> {
  if (flags.kubeconfig === '') throw new OperationError({ code: 'bad-flag', message: '--kubeconfig names no file', fix: 'give a file' });
  return {
    config: await configFrom(flags),
    kubeconfig: flags.kubeconfig === undefined ? undefined : resolve(flags.kubeconfig),
    logLevel: flags.logLevel,
  };
}

/**
 * The words for the background process; the rest is in the cluster's directory. They say whose it is and where its context
 * went, should that be gone (src/cluster/instance/started-processes.ts).
 */
export function backgroundWords({ name, dir }: Instance, { timeout }: ClusterFlags, kubeconfig: string): string[] {
  return [name, '--kept', '--timeout', timeout, '--data-dir', dir, '--kubeconfig', kubeconfig];
}
