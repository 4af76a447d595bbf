/**
 * What a cluster is made of. The same names serve `startCluster({…})`, `--config FILE` (YAML) and, in kebab-case, the
 * flags; flags win over the file. Unknown names and wrong types are errors that name them (check-settings.ts).
 */
import { readFileSync } from 'node:fs';
import { addonNames, addonsFix, addonsProblem } from '../../addons/addons.ts';
import { runtimeConfigFix, runtimeConfigProblem } from '../../api/kinds/runtime-config.ts';
import { admissionPluginNames } from '../../control-plane/api-server/admission/plugin-names.ts';
import { controllerNames, controllersProblem } from '../../control-plane/controllers/controller-names.ts';
import { OperationError } from '../operation-error.ts';
import { anyText, checkSettings, describeNames, type Fields, fits, whole } from './check-settings.ts';

export interface ClusterConfig {
  /** real nodes on this machine; default: none; on the command line 1 where they are possible */
  readonly nodes?: number;
  /** simulated nodes; default: 1 when there is no real one */
  readonly simulated?: number;
  /** the API's port; 0 takes a free one; default: 6443, or the next that is free */
  readonly port?: number;
  /** where the API listens, beside the nodes' own network */
  readonly host?: string;
  /** where Ingresses are served on real nodes; 0 takes a free one; default: 80, or one from 8080 on */
  readonly httpPort?: number;
  /** the same by TLS; default: 443, or one from 8443 on */
  readonly httpsPort?: number;
  /** default: 10.96.0.0/16, or the next that is free */
  readonly serviceCIDR?: string;
  /** default: 10.244.0.0/16, or the next that is free */
  readonly podCIDR?: string;
  /** the network that joins the nodes of this machine; default: 172.31.250.0/24, or the next that is free */
  readonly nodeCIDR?: string;
  readonly clusterDomain?: string;
  /** APIs on and off beside the default, as kube-apiserver's --runtime-config: { 'api/beta': 'true' } */
  readonly runtimeConfig?: Readonly<Record<string, string>>;
  /** which controllers run, as kube-controller-manager's --controllers: ['*', '-garbage-collector-controller']; [] is none */
  readonly controllers?: readonly string[];
  /** admission plugins that are off, by kube-apiserver's names: ['ServiceAccount'] */
  readonly disableAdmissionPlugins?: readonly string[];
  /** what is kept of which request: a file with a Policy of audit.k8s.io/v1 */
  readonly auditPolicyFile?: string;
  /** where it is kept; default: audit.log in the cluster's directory, once there is a policy */
  readonly auditLogPath?: string;
  /** MiB, then the file is rotated; default: 100 */
  readonly auditLogMaxsize?: number;
  /** rotated files that stay, 0 is all; default: 100 */
  readonly auditLogMaxbackup?: number;
  /** days that they stay, 0 is for ever; default: 366 */
  readonly auditLogMaxage?: number;
  /** what keeps the objects: lmdb, a file in the cluster's directory (default), or etcd */
  readonly store?: string;
  /** of an etcd, where its members listen: ['https://10.0.0.1:2379'] */
  readonly etcdServers?: readonly string[];
  /** files in PEM: the authority of its certificates; a certificate and key for it to know us by */
  readonly etcdCafile?: string;
  readonly etcdCertfile?: string;
  readonly etcdKeyfile?: string;
  /** what all keys in it begin with; default: /registry */
  readonly etcdPrefix?: string;
  /** how long old revisions stay readable */
  readonly historySeconds?: number;
  /** pods a node takes */
  readonly maxPods?: number;
  /** add-ons that are off: ['dns'] */
  readonly disable?: readonly string[];
  /** DNS servers for names outside the cluster; default: those of the machine's resolv.conf */
  readonly upstreamDNS?: readonly string[];
}

export const configDefaults = {
  port: 6443,
  host: '127.0.0.1',
  clusterDomain: 'cluster.local',
  etcdPrefix: '/registry',
  historySeconds: 300,
  auditLogMaxsize: 100,
  auditLogMaxbackup: 100,
  auditLogMaxage: 366,
  maxPods: 110,
} as const;

const textList = fits({ type: 'array', items: { type: 'string' } });
const cidr = fits({ type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+\\.\\d+/\\d+$' });

function pluginsProblem(names: readonly string[]): string | undefined {
  const unknown = names.find((name) => !admissionPluginNames.includes(name));
  return unknown === undefined ? undefined : `there is no admission plugin "${unknown}"`;
}

export const configFields = {
  nodes: {
    about: 'real nodes on this machine; default: 1 where they are possible, else 0; of startCluster 0',
    check: whole(0, 50),
    what: 'a whole number from 0 to 50',
  },
  simulated: {
    about: 'simulated nodes; default: 1 when there is no real one',
    check: whole(0, 20_000),
    what: 'a whole number from 0 to 20000',
  },
  port: {
    about: 'the API’s port; 0 takes a free one; default: 6443, or the next that is free',
    check: whole(0, 65_535),
    what: 'a port number',
  },
  host: {
    about: 'where the API listens, beside the nodes’ own network; 0.0.0.0 is everywhere; default: 127.0.0.1',
    check: anyText,
    what: 'an address',
  },
  httpPort: {
    about: 'where Ingresses are served, with real nodes; 0 takes a free one; default: 80, or one from 8080 on',
    check: whole(0, 65_535),
    what: 'a port number',
  },
  httpsPort: {
    about: 'the same by TLS; default: 443, or one from 8443 on',
    check: whole(0, 65_535),
    what: 'a port number',
  },
  serviceCIDR: {
    about: 'addresses of Services; default: 10.96.0.0/16, or the next that is free',
    check: cidr,
    what: 'an IPv4 network such as 10.96.0.0/16',
  },
  podCIDR: {
    about: 'addresses of pods; default: 10.244.0.0/16, or the next that is free',
    check: cidr,
    what: 'an IPv4 network such as 10.244.0.0/16',
  },
  nodeCIDR: {
    about: 'the network that joins the nodes of this machine; default: 172.31.250.0/24, or the next that is free',
    check: cidr,
    what: 'an IPv4 network such as 172.31.250.0/24',
  },
  clusterDomain: { about: 'where names of Services end; default: cluster.local', check: anyText, what: 'a domain name' },
  runtimeConfig: {
    about: 'APIs on and off beside the default, as kube-apiserver’s --runtime-config',
    check: fits({ type: 'object', additionalProperties: { type: 'string' } }),
    what: 'a map of strings such as { "api/beta": "true" }',
    problem: (map) => runtimeConfigProblem(map as Record<string, string>),
    fix: runtimeConfigFix,
  },
  controllers: {
    about: 'which controllers run, as kube-controller-manager’s --controllers; default: all; an empty list is none',
    check: textList,
    what: 'a list of names such as ["*", "-job-controller"]',
    problem: (list) => controllersProblem(list as string[]),
    fix: `give "none", or a list: * is all, - leaves out: ${controllerNames.join(', ')}`,
  },
  disableAdmissionPlugins: {
    about: 'admission plugins that are off, by kube-apiserver’s names',
    check: textList,
    what: 'a list of names such as ["ServiceAccount"]',
    problem: (list) => pluginsProblem(list as string[]),
    fix: `the admission plugins are: ${admissionPluginNames.join(', ')}`,
  },
  auditPolicyFile: {
    about: 'what an audit log keeps of which request: a file with a Policy of audit.k8s.io/v1',
    check: anyText,
    what: 'a file',
  },
  auditLogPath: { about: 'where it is; default: audit.log in the cluster’s directory', check: anyText, what: 'a file' },
  auditLogMaxsize: { about: 'MiB, then it is rotated; default: 100', check: whole(1, 100_000), what: 'MiB, from 1' },
  auditLogMaxbackup: { about: 'rotated files that stay, 0 is all; default: 100', check: whole(0, 100_000), what: 'a number of files' },
  auditLogMaxage: { about: 'days that they stay, 0 is for ever; default: 366', check: whole(0, 100_000), what: 'a number of days' },
  store: {
    about: 'what keeps the objects: lmdb, a file in the cluster’s directory, or etcd; default: lmdb',
    check: fits({ type: 'string', pattern: '^(lmdb|etcd)$' }),
    what: 'lmdb or etcd',
  },
  etcdServers: {
    about: 'of an etcd, where its members listen, as kube-apiserver’s --etcd-servers',
    check: fits({ type: 'array', items: { type: 'string', pattern: '^https?://[^/?#@]+:\\d+/?$' } }),
    what: 'a list of URLs such as ["https://10.0.0.1:2379"]',
  },
  etcdCafile: { about: 'the authority of etcd’s certificates, in PEM', check: anyText, what: 'a file' },
  etcdCertfile: { about: 'a certificate to show to etcd, in PEM', check: anyText, what: 'a file' },
  etcdKeyfile: { about: 'its key, in PEM', check: anyText, what: 'a file' },
  etcdPrefix: {
    about: 'what all keys in etcd begin with; default: /registry',
    check: fits({ type: 'string', pattern: '^/.*[^/]$' }),
    what: 'a path such as /registry',
  },
  historySeconds: {
    about: 'how long old revisions stay readable; default: 300',
    check: whole(1, 31_536_000),
    what: 'seconds, from 1',
  },
  maxPods: { about: 'pods that a node takes; default: 110', check: whole(1, 1000), what: 'a whole number from 1 to 1000' },
  disable: {
    about: `add-ons that are off: ${addonNames.join(', ')}; default: none`,
    check: textList,
    what: 'a list of names such as ["dns"]',
    problem: (list) => addonsProblem(list as string[]),
    fix: addonsFix,
  },
  upstreamDNS: {
    about: 'DNS servers for names outside the cluster; default: those of the machine’s resolv.conf',
    check: fits({ type: 'array', items: { type: 'string', minLength: 1 } }),
    what: 'a list of addresses',
  },
} satisfies Fields<ClusterConfig> & Record<keyof ClusterConfig, { readonly about: string }>;

/** As it was called before. */
const withNewNames = (given: object): object => {
  const { hollow, ...rest } = given as { readonly hollow?: unknown };
  return hollow === undefined ? given : { simulated: hollow, ...rest };
};

/** `where` (a file, "flags") goes into the error. */
export const checkConfig = (given: object, where: string): ClusterConfig =>
  checkSettings<ClusterConfig>(withNewNames(given), { fields: configFields, where, noun: 'setting' });

export async function readConfigFile(file: string): Promise<ClusterConfig> {
  let parsed: unknown;
  let duplicates: readonly string[];
  try {
    const { readOwnYaml } = await import('../../api/schema/yaml/read-yaml.ts');
    const document = readOwnYaml(readFileSync(file, 'utf8'));
    parsed = document.value ?? {};
    duplicates = document.duplicates;
  } catch (cause) {
    throw new OperationError({ code: 'bad-config', message: `can't read ${file}`, fix: 'give a YAML file of settings', cause });
  }
  if (duplicates.length > 0) {
    throw new OperationError({ code: 'bad-config', message: `${file}: ${duplicates.join('; ')}`, fix: 'say each setting once' });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new OperationError({
      code: 'bad-config',
      message: `${file} is not a map of settings`,
      fix: describeNames(configFields, 'setting'),
    });
  }
  return checkConfig(parsed, file);
}

/** For editors: JSON Schema of what `--config` takes. */
export function configSchema(): object {
  const properties = Object.entries(configFields).map(([name, { about, check }]) => [name, { description: about, ...check.schema }]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of a timonier cluster',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties) as object,
  };
}
