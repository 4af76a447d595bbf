/** The flags that `up` and `run` share, and how they, the config file and the machine become a configuration. */
import type { Command } from 'commander';
import { type ClusterConfig, checkConfig, readConfigFile } from '../../cluster/config.ts';
import { OperationError } from '../../cluster/operation-error.ts';

export interface ClusterFlags {
  readonly nodes?: string;
  readonly hollow?: string;
  readonly install?: boolean;
  readonly port?: string;
  readonly dataDir?: string;
  readonly kubeconfig?: string;
  readonly config?: string;
  readonly timeout: string;
  readonly json?: boolean;
  readonly logLevel?: string;
}

export function addClusterFlags(command: Command): Command {
  return command
    .argument('[NAME]', 'the cluster’s name', 'default')
    .option('--nodes <N>', 'real nodes on this machine (default: 1 where they are possible)')
    .option('--hollow <N>', 'simulated nodes (default: 1 when there is no real one)')
    .option('--install', 'install what is missing (Debian and Ubuntu, as root, by apt)')
    .option('--port <P>', 'the API’s port; 0 takes a free one (default: 6443)')
    .option('--data-dir <DIR>', 'keep everything there (default: /var/lib/timonier/NAME for root)')
    .option('--kubeconfig <FILE>', 'write the kubeconfig only there')
    .option('--config <FILE>', 'settings in YAML; flags win')
    .option('--timeout <S>', 'how long to wait until the cluster is ready', '120')
    .option('--log-level <LEVEL>', 'debug, info, warn or error', 'info')
    .option('--json', 'one JSON value per event');
}

export async function configFrom(flags: ClusterFlags): Promise<ClusterConfig> {
  const fromFile = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const fromFlags = {
    ...(flags.nodes !== undefined && { nodes: Number(flags.nodes) }),
    ...(flags.hollow !== undefined && { hollow: Number(flags.hollow) }),
    ...(flags.port !== undefined && { port: Number(flags.port) }),
  };
  return { ...fromFile, ...checkConfig(fromFlags, 'flags') };
}

export function timeoutMsFrom(flags: ClusterFlags): number {
  const seconds = Number(flags.timeout);
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000;
  throw new OperationError({
    code: 'bad-flag',
    message: `--timeout ${flags.timeout} is no number of seconds`,
    fix: 'give seconds, such as --timeout 120',
  });
}

/** The flags again, as words for the background process. */
export function flagWords(name: string, flags: ClusterFlags): string[] {
  const words = [name];
  const valued = ['nodes', 'hollow', 'port', 'dataDir', 'kubeconfig', 'config', 'timeout', 'logLevel'] as const;
  for (const key of valued) {
    const value = flags[key];
    if (value !== undefined) words.push(`--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`, value);
  }
  return words;
}
