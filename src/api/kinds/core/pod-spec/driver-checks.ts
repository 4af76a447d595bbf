/**
 * Checks of volume drivers that pods and persistent volumes share. Most only ask for a few fields; the few with rules of
 * their own have a function. Upstream: pkg/apis/core/validation/validation.go.
 */

import { isIP } from 'node:net';
import type {
  AzureDiskVolumeSource,
  CSIPersistentVolumeSource,
  CSIVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  HostPathVolumeSource,
  ISCSIPersistentVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
  SecretReference,
  StorageOSPersistentVolumeSource,
} from '../../../generated/core-v1.ts';
import { checkDns1123Subdomain, nameIsDnsLabel, nameIsDnsSubdomain, rangeMessage } from '../../../meta/names.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { own } from '../../../meta/words.ts';
import { addInvalid, checkDnsLabel, checkDnsSubdomain, checkPresent, checkSupported, type Errors } from '../../checks.ts';
import { checkDescendingPath, checkNoBacksteps } from './path-checks.ts';

/** Each driver, and the fields that it can't do without. */
export const driverFields = {
  hostPath: ['path'],
  gitRepo: ['repository'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  nfs: ['server', 'path'],
  iscsi: ['targetPortal'],
  glusterfs: ['endpoints', 'path'],
  flocker: [],
  rbd: ['monitors', 'image'],
  cinder: ['volumeID'],
  cephfs: ['monitors'],
  quobyte: [],
  fc: [],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  storageos: ['volumeName'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  local: ['path'],
  csi: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type DriverSource = keyof typeof driverFields;

interface DriverCheck {
  readonly source: DriverSource;
  /** the volume, or the spec of a persistent volume */
  readonly volume: Readonly<Partial<Record<DriverSource, unknown>>>;
  /** persistent volumes name secrets with their namespace */
  readonly persistent: boolean;
}

type Source = Readonly<Record<string, unknown>>;
type Rule = (errors: Errors, path: string, source: never, persistent: boolean) => void;

export function checkDriver(errors: Errors, path: string, { source, volume, persistent }: DriverCheck): void {
  const at = `${path}.${source === 'gcePersistentDisk' ? 'persistentDisk' : source}`;
  const given = volume[source] as Source;
  for (const field of driverFields[source]) {
    const value = given[field];
    checkPresent(errors, `${at}.${field}`, Array.isArray(value) && !value.length ? undefined : value);
  }
  rules[source]?.(errors, at, given as never, persistent);
}

const rules: Partial<Record<DriverSource, Rule>> = {
  hostPath: (errors, path, source: HostPathVolumeSource) => {
    if (!source.path) return;
    checkNoBacksteps(errors, `${path}.path`, source.path);
    checkSupported(errors, `${path}.type`, source.type, hostPathTypes);
  },
  local: (errors, path, source: { readonly path: string }) => checkNoBacksteps(errors, `${path}.path`, source.path),
  gitRepo: (errors, path, source: { readonly directory?: string }) => {
    checkDescendingPath(errors, `${path}.directory`, source.directory ?? '');
  },
  gcePersistentDisk: checkPartition,
  awsElasticBlockStore: checkPartition,
  nfs: (errors, path, source: NFSVolumeSource) => {
    if (!source.path.startsWith('/')) errors.push(fieldErrors.invalid(`${path}.path`, source.path, 'must be an absolute path'));
  },
  iscsi: checkISCSI,
  fc: checkFC,
  flocker: checkFlocker,
  quobyte: checkQuobyte,
  flexVolume: (errors, path, source: { readonly options?: Readonly<Record<string, string>> }) => {
    for (const key in source.options) {
      const namespace = `.${key.split('/', 2).length === 2 ? key.slice(0, key.indexOf('/')) : key}`.toLowerCase();
      if (!namespace.endsWith('.kubernetes.io') && !namespace.endsWith('.k8s.io')) continue;
      errors.push(fieldErrors.invalid(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
    }
  },
  glusterfs: (errors, path, source: { readonly endpointsNamespace?: string }, persistent) => {
    const namespace = source.endpointsNamespace;
    if (!persistent || namespace === undefined) return;
    const messages = namespace ? nameIsDnsLabel(namespace, false) : ['if the endpointnamespace is set, it must be a valid namespace name'];
    addInvalid(errors, `${path}.endpointsNamespace`, namespace, messages);
  },
  azureFile: (errors, path, source: { readonly secretNamespace?: string }) => {
    if (source.secretNamespace !== undefined) checkPresent(errors, `${path}.secretNamespace`, source.secretNamespace);
  },
  azureDisk: checkAzureDisk,
  cinder: checkSecretRef,
  storageos: (errors, path, source: StorageOSPersistentVolumeSource, persistent) => {
    if (source.volumeName) checkDnsLabel(errors, `${path}.volumeName`, source.volumeName);
    if (source.volumeNamespace) checkDnsLabel(errors, `${path}.volumeNamespace`, source.volumeNamespace);
    checkSecretRef(errors, path, source, persistent);
  },
  csi: checkCSI,
};

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

function checkPartition(errors: Errors, path: string, { partition = 0 }: { readonly partition?: number }): void {
  if (partition < 0 || partition > 255) errors.push(fieldErrors.invalid(`${path}.partition`, partition, rangeMessage(1, 255)));
}

function checkSecretRef(errors: Errors, path: string, source: { secretRef?: SecretReference }, persistent: boolean): void {
  if (!source.secretRef) return;
  checkPresent(errors, `${path}.secretRef.name`, source.secretRef.name);
  if (persistent) checkPresent(errors, `${path}.secretRef.namespace`, source.secretRef.namespace);
}

const iqnFormats: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

function checkISCSI(errors: Errors, path: string, source: ISCSIPersistentVolumeSource, persistent: boolean): void {
  if (checkPresent(errors, `${path}.iqn`, source.iqn)) checkIQN(errors, `${path}.iqn`, source.iqn, persistent);
  if (source.lun < 0 || source.lun > 255) errors.push(fieldErrors.invalid(`${path}.lun`, source.lun, rangeMessage(0, 255)));
  if (!source.secretRef && (source.chapAuthDiscovery || source.chapAuthSession)) errors.push(fieldErrors.required(`${path}.secretRef`));
  if (persistent && source.secretRef) checkPresent(errors, `${path}.secretRef.name`, source.secretRef.name);
  if (source.initiatorName !== undefined) checkIQN(errors, `${path}.initiatorname`, source.initiatorName, persistent);
}

function checkIQN(errors: Errors, path: string, name: string, persistent: boolean): void {
  const format = own(iqnFormats, name.slice(0, 3));
  if (format?.test(name)) return;
  const message = format || persistent ? 'must be valid format' : 'must be valid format starting with iqn, eui, or naa';
  errors.push(fieldErrors.invalid(path, name, message));
}

function checkFC(errors: Errors, path: string, source: FCVolumeSource): void {
  const [names, ids] = [source.targetWWNs?.length ?? 0, source.wwids?.length ?? 0];
  const at = `${path}.targetWWNs`;
  if (!names && !ids) errors.push(fieldErrors.required(at, 'must specify either targetWWNs or wwids, but not both'));
  if (names && ids) errors.push(fieldErrors.invalid(at, source.targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
  if (!names) return;
  if (source.lun === undefined) errors.push(fieldErrors.required(`${path}.lun`, 'lun is required if targetWWNs is specified'));
  else if (source.lun < 0 || source.lun > 255) errors.push(fieldErrors.invalid(`${path}.lun`, source.lun, rangeMessage(0, 255)));
}

function checkFlocker(errors: Errors, path: string, { datasetName: name, datasetUUID: uuid }: FlockerVolumeSource): void {
  if (!name && !uuid) errors.push(fieldErrors.required(path, 'one of datasetName and datasetUUID is required'));
  if (name && uuid) errors.push(fieldErrors.invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  if (name?.includes('/')) errors.push(fieldErrors.invalid(`${path}.datasetName`, name, "must not contain '/'"));
}

function checkQuobyte(errors: Errors, path: string, source: QuobyteVolumeSource): void {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas';
  if (!source.registry) errors.push(fieldErrors.required(`${path}.registry`, pairs));
  else if ((source.tenant?.length ?? 0) > 64) {
    errors.push(fieldErrors.required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  } else {
    for (const pair of source.registry.split(',')) {
      if (!isHostPort(pair)) errors.push(fieldErrors.invalid(`${path}.registry`, source.registry, pairs));
    }
  }
  checkPresent(errors, `${path}.volume`, source.volume);
}

const isHostPort = (pair: string): boolean => {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):[^:]*$/.exec(pair);
  return match !== null && (match[1] === undefined || isIP(match[1]) === 6 || !match[1].includes(':'));
};

const cachingModes = ['None', 'ReadOnly', 'ReadWrite'];
const diskKinds = ['Dedicated', 'Managed', 'Shared'];
const managedDisk = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const blobDisk = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

function checkAzureDisk(errors: Errors, path: string, source: AzureDiskVolumeSource): void {
  checkSupported(errors, `${path}.cachingMode`, source.cachingMode, cachingModes);
  checkSupported(errors, `${path}.kind`, source.kind, diskKinds);
  const managed = source.kind === 'Managed';
  if (source.kind !== undefined && !source.diskURI.startsWith(managed ? '/subscriptions/' : 'https://')) {
    errors.push(fieldErrors.notSupported(`${path}.diskURI`, source.diskURI, [managed ? managedDisk : blobDisk]));
  }
}

const csiSecrets = ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const;

function checkCSI(errors: Errors, path: string, source: CSIPersistentVolumeSource & CSIVolumeSource, persistent: boolean): void {
  checkDriverName(errors, `${path}.driver`, source.driver);
  if (!persistent) {
    const name = source.nodePublishSecretRef?.name;
    if (source.nodePublishSecretRef && checkPresent(errors, `${path}.nodePublishSecretRef.name`, name)) {
      addInvalid(errors, `${path}.name`, name, nameIsDnsSubdomain(name ?? '', false));
    }
    return;
  }
  checkPresent(errors, `${path}.volumeHandle`, source.volumeHandle);
  for (const field of csiSecrets) {
    const secret: SecretReference | undefined = source[field];
    if (!secret) continue;
    const { name = '', namespace = '' } = secret;
    if (checkPresent(errors, `${path}.${field}.name`, name)) checkDnsSubdomain(errors, `${path}.${field}.name`, name);
    if (checkPresent(errors, `${path}.${field}.namespace`, namespace)) checkDnsLabel(errors, `${path}.${field}.namespace`, namespace);
  }
}

/** The name of a CSI driver: a subdomain in any case, of 63 characters at most. */
export function checkDriverName(errors: Errors, path: string, name: string): void {
  if (!checkPresent(errors, path, name)) return;
  if (name.length > 63) errors.push(fieldErrors.tooLong(path, 63));
  addInvalid(errors, path, name, checkDns1123Subdomain(name.toLowerCase()));
}
