/**
 * containerd's configuration as we need it, in the format of the version at hand: 2 for containerd 1.x, 3 for 2.x.
 * Everything that containerd would keep in a shared place is put below the data directory, so that no other containerd
 * of the machine is touched.
 * Specified in containerd docs/cri/config.md.
 */
import { join } from 'node:path';
import type { ContainerdVersion, Snapshotter } from './machine-support.ts';

/** Where everything is, below one data directory. */
export interface ContainerdPaths {
  readonly dataDir: string;
  readonly config: string;
  readonly log: string;
  readonly root: string;
  readonly state: string;
  readonly socket: string;
  readonly cniConfDir: string;
  readonly registryDir: string;
}

/** What a unix socket's path can hold. */
const socketPathBytesMax = 107;

export function containerdPaths(dataDir: string): ContainerdPaths {
  const socket = join(dataDir, 'state', 'containerd.sock');
  if (Buffer.byteLength(`${socket}.ttrpc`) > socketPathBytesMax)
    throw new RangeError(`the data directory's path is too long for a socket in it: ${dataDir}`);
  return {
    dataDir,
    config: join(dataDir, 'config.toml'),
    log: join(dataDir, 'containerd.log'),
    root: join(dataDir, 'root'),
    state: join(dataDir, 'state'),
    socket,
    cniConfDir: join(dataDir, 'cni'),
    registryDir: join(dataDir, 'registry'),
  };
}

/** How its process is known. */
export const containerdWords = ({ config }: ContainerdPaths) => ['--config', config] as const;

export interface ContainerdSettings {
  readonly version: ContainerdVersion;
  readonly paths: ContainerdPaths;
  readonly pauseImage: string;
  readonly snapshotter: Snapshotter;
  readonly canLowerOomScore: boolean;
  readonly cgroupDriver: 'systemd' | 'cgroupfs';
  readonly cniPluginDir: string;
}

type TomlValue = string | number | boolean | readonly string[];
interface TomlTable {
  readonly [key: string]: TomlValue | TomlTable;
}

/** Not needed, dangerous, slow to try, or known to use a place that all containerds of a machine share. */
const disabledPlugins = [
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.blockfile',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.erofs',
  'io.containerd.snapshotter.v1.zfs',
  // starts, and lets log, whatever the labels of a container say; images bring labels
  'io.containerd.internal.v1.restart',
  'io.containerd.nri.v1.nri',
  'io.containerd.internal.v1.tracing',
  'io.containerd.tracing.processor.v1.otlp',
];

export function renderContainerdConfig(settings: ContainerdSettings): string {
  const { version, paths } = settings;
  return renderToml({
    version: version.major >= 2 ? 3 : 2,
    root: paths.root,
    state: paths.state,
    disabled_plugins: disabledPlugins,
    grpc: { address: paths.socket },
    ttrpc: { address: `${paths.socket}.ttrpc` },
    debug: { level: 'warn' },
    plugins: {
      'io.containerd.internal.v1.opt': { path: join(paths.root, 'opt') },
      ...(version.major >= 2 ? criPluginsOf2(settings) : criPluginOf1(settings)),
    },
  });
}

function criPluginOf1(settings: ContainerdSettings): TomlTable {
  return {
    'io.containerd.grpc.v1.cri': {
      ...streaming,
      ...sandboxes(settings),
      sandbox_image: settings.pauseImage,
      containerd: { snapshotter: settings.snapshotter, ...runtimes(settings) },
      cni: cni(settings),
      registry: { config_path: settings.paths.registryDir },
    },
  };
}

function criPluginsOf2(settings: ContainerdSettings): TomlTable {
  return {
    'io.containerd.grpc.v1.cri': streaming,
    'io.containerd.cri.v1.images': {
      snapshotter: settings.snapshotter,
      pinned_images: { sandbox: settings.pauseImage },
      registry: { config_path: settings.paths.registryDir },
    },
    'io.containerd.cri.v1.runtime': { ...sandboxes(settings), containerd: runtimes(settings), cni: cni(settings) },
  };
}

/** The kubelet, which hands streams on, runs in the same network namespace; pods can't reach it there. */
const streaming: TomlTable = { stream_server_address: '127.0.0.1', stream_server_port: '0' };

const sandboxes = ({ canLowerOomScore }: ContainerdSettings): TomlTable => ({
  restrict_oom_score_adj: !canLowerOomScore,
  tolerate_missing_hugetlb_controller: true,
  netns_mounts_under_state_dir: true,
});

const runtimes = ({ cgroupDriver, paths }: ContainerdSettings): TomlTable => ({
  default_runtime_name: 'runc',
  runtimes: {
    runc: {
      runtime_type: 'io.containerd.runc.v2',
      options: { Root: join(paths.state, 'runc'), SystemdCgroup: cgroupDriver === 'systemd' },
    },
  },
});

const cni = ({ version, cniPluginDir, paths }: ContainerdSettings): TomlTable => ({
  ...(version.major > 2 || (version.major === 2 && version.minor >= 1) ? { bin_dirs: [cniPluginDir] } : { bin_dir: cniPluginDir }),
  conf_dir: paths.cniConfDir,
  max_conf_num: 1,
});

/** TOML's strings and keys are JSON's; a table's own values come before its tables. */
function renderToml(table: TomlTable, path: readonly string[] = []): string {
  const isTable = (value: TomlValue | TomlTable): value is TomlTable => typeof value === 'object' && !Array.isArray(value);
  const entries = Object.entries(table);
  const values = entries.filter(([, value]) => !isTable(value)).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  const head =
    path.length > 0 && values.length > 0 ? `\n[${path.map((key) => (/^[\w-]+$/.test(key) ? key : JSON.stringify(key))).join('.')}]\n` : '';
  const tables = entries.map(([key, value]) => (isTable(value) ? renderToml(value, [...path, key]) : ''));
  return head + values.join('') + tables.join('');
}

/** `hosts.toml` of a registry that is asked through mirrors first. Specified in containerd docs/hosts.md. */
export function renderRegistryHosts(registry: string, mirrors: readonly string[]): string {
  const server = registry === 'docker.io' ? 'https://registry-1.docker.io' : `https://${registry}`;
  return renderToml({ server, host: Object.fromEntries(mirrors.map((url) => [url, { capabilities: ['pull', 'resolve'] }])) });
}
