/**
 * Rules of volume drivers that pods and persistent volumes share. Most only ask for a few fields.
 * Upstream: pkg/apis/core/validation/validation.go.
 */

import { isIP } from 'node:net';
import type {
  AzureDiskVolumeSource,
  AzureFilePersistentVolumeSource,
  CSIPersistentVolumeSource,
  CSIVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  GitRepoVolumeSource,
  GlusterfsPersistentVolumeSource,
  HostPathVolumeSource,
  ISCSIPersistentVolumeSource,
  LocalVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
  SecretReference,
  StorageOSPersistentVolumeSource,
} from '../../../generated/core-v1.ts';
import { checkDns1123Subdomain, nameIsDnsLabel, rangeMessage } from '../../../meta/names.ts';
import { own } from '../../../meta/words.ts';
import { all, eachEntry, evenAbsent, fields, filled, format, oneOf, range, required, when } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { dnsLabel, dnsSubdomain, subdomainName } from '../../shared-rules.ts';
import { descendingPath, noBacksteps } from './path-checks.ts';

/** The name of a CSI driver: a subdomain in any case, of 63 characters at most. */
export const driverName: Rule<string> = required((name, walk) => {
  if (name.length > 63) walk.tooLong('', 63);
  for (const message of checkDns1123Subdomain(name.toLowerCase())) walk.invalid('', name, message);
});

const needs = (...names: readonly string[]): Rule<object> =>
  fields<Readonly<Record<string, unknown>>>(Object.fromEntries(names.map((name) => [name, required()]))) as Rule<object>;

const lun = range(0, 255);
const partition = fields<{ readonly partition?: number }>({ partition: range(0, 255, rangeMessage(1, 255)) });
const disk = (name: string): Rule<object> => all<object>(needs(name), partition);

/** Persistent volumes name secrets with their namespace. */
const secretRef = (persistent: boolean): Rule<object> =>
  fields<{ readonly secretRef?: SecretReference }>({ secretRef: persistent ? needs('name', 'namespace') : needs('name') });

const iqnFormats: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

const iqn =
  (persistent: boolean): Rule<string> =>
  (name, walk) => {
    const known = own(iqnFormats, name.slice(0, 3));
    if (known?.test(name)) return;
    walk.invalid('', name, known || persistent ? 'must be valid format' : 'must be valid format starting with iqn, eui, or naa');
  };

const iscsi = (persistent: boolean): Rule<ISCSIPersistentVolumeSource> =>
  all<ISCSIPersistentVolumeSource>(needs('targetPortal'), fields({ iqn: required(iqn(persistent)), lun }), (source, walk) => {
    if (!source.secretRef && (source.chapAuthDiscovery || source.chapAuthSession)) walk.required('secretRef');
    if (persistent) walk.check('secretRef', source.secretRef, needs('name'));
    walk.check('initiatorname', source.initiatorName, iqn(persistent));
  });

const fc: Rule<FCVolumeSource> = (source, walk) => {
  const [names, ids] = [source.targetWWNs?.length ?? 0, source.wwids?.length ?? 0];
  if (!names && !ids) walk.required('targetWWNs', 'must specify either targetWWNs or wwids, but not both');
  if (names && ids) walk.invalid('targetWWNs', source.targetWWNs, 'targetWWNs and wwids can not be specified simultaneously');
  if (names && source.lun === undefined) walk.required('lun', 'lun is required if targetWWNs is specified');
  else if (names) walk.check('lun', source.lun, lun);
};

const flocker: Rule<FlockerVolumeSource> = ({ datasetName: name, datasetUUID: uuid }, walk) => {
  if (!name && !uuid) walk.required('', 'one of datasetName and datasetUUID is required');
  if (name && uuid) walk.invalid('', 'resource', 'datasetName and datasetUUID can not be specified simultaneously');
  if (name?.includes('/')) walk.invalid('datasetName', name, "must not contain '/'");
};

const quobyte: Rule<QuobyteVolumeSource> = ({ registry, tenant = '', volume }, walk) => {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas';
  if (!registry) walk.required('registry', pairs);
  else if (tenant.length > 64) walk.required('tenant', 'must be a UUID and may not exceed a length of 64 characters');
  else for (const pair of registry.split(',')) if (!isHostPort(pair)) walk.invalid('registry', registry, pairs);
  if (!volume) walk.required('volume');
};

const isHostPort = (pair: string): boolean => {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):[^:]*$/.exec(pair);
  return match !== null && (match[1] === undefined || isIP(match[1]) === 6 || !match[1].includes(':'));
};

const managedDisk = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const blobDisk = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

const azureDisk = all<AzureDiskVolumeSource>(
  needs('diskName', 'diskURI'),
  fields({ cachingMode: oneOf('None', 'ReadOnly', 'ReadWrite'), kind: oneOf('Dedicated', 'Managed', 'Shared') }),
  ({ kind, diskURI: uri }, walk) => {
    const isManaged = kind === 'Managed';
    if (kind === undefined || uri.startsWith(isManaged ? '/subscriptions/' : 'https://')) return;
    walk.notSupported('diskURI', uri, [isManaged ? managedDisk : blobDisk]);
  },
);

/** Names that vendors may not use in options of their drivers. */
const options = eachEntry<string>((key, _, walk) => {
  const namespace = `.${key.split('/', 2).length === 2 ? key.slice(0, key.indexOf('/')) : key}`.toLowerCase();
  if (!namespace.endsWith('.kubernetes.io') && !namespace.endsWith('.k8s.io')) return;
  walk.invalid(`[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved');
});

const csiSecret = fields<SecretReference>({ name: required(dnsSubdomain), namespace: required(dnsLabel) });
const csi = (persistent: boolean): Rule<CSIPersistentVolumeSource & CSIVolumeSource> => {
  if (!persistent) {
    return all<CSIPersistentVolumeSource & CSIVolumeSource>(fields({ driver: driverName }), ({ nodePublishSecretRef: secret }, walk) => {
      if (secret && !secret.name) walk.required('nodePublishSecretRef.name');
      walk.check('name', secret?.name, filled(subdomainName));
    });
  }
  return fields({
    driver: driverName,
    volumeHandle: required(),
    controllerPublishSecretRef: csiSecret,
    controllerExpandSecretRef: csiSecret,
    nodePublishSecretRef: csiSecret,
    nodeExpandSecretRef: csiSecret,
  });
};

const nothing: Rule<object> = () => undefined;
const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];
const notEmpty: Rule<string> = (value, walk) => {
  if (!value) walk.required('');
};
const absolute: Rule<string | undefined> = (path = '', walk) => {
  if (!path.startsWith('/')) walk.invalid('', path, 'must be an absolute path');
};
const endpointsNamespace: Rule<string> = format((name) =>
  name ? nameIsDnsLabel(name, false) : ['if the endpointnamespace is set, it must be a valid namespace name'],
);

const driversOf = (persistent: boolean) =>
  ({
    hostPath: all<HostPathVolumeSource>(
      needs('path'),
      when(({ path }) => !!path, fields({ path: noBacksteps, type: oneOf(...hostPathTypes) })),
    ),
    gitRepo: all<GitRepoVolumeSource>(needs('repository'), fields({ directory: descendingPath })),
    gcePersistentDisk: disk('pdName'),
    awsElasticBlockStore: disk('volumeID'),
    nfs: all<NFSVolumeSource>(needs('server', 'path'), fields({ path: evenAbsent(absolute) })),
    iscsi: iscsi(persistent),
    glusterfs: all<GlusterfsPersistentVolumeSource>(needs('endpoints', 'path'), persistent ? fields({ endpointsNamespace }) : nothing),
    flocker,
    rbd: needs('monitors', 'image'),
    cinder: all<object>(needs('volumeID'), secretRef(persistent)),
    cephfs: needs('monitors'),
    quobyte,
    fc,
    flexVolume: all<FlexVolumeSource>(needs('driver'), fields({ options })),
    azureFile: all<AzureFilePersistentVolumeSource>(needs('secretName', 'shareName'), fields({ secretNamespace: notEmpty })),
    vsphereVolume: needs('volumePath'),
    photonPersistentDisk: needs('pdID'),
    portworxVolume: needs('volumeID'),
    azureDisk,
    storageos: all<StorageOSPersistentVolumeSource>(
      needs('volumeName'),
      fields({ volumeName: filled(dnsLabel), volumeNamespace: filled(dnsLabel) }),
      secretRef(persistent),
    ),
    scaleIO: needs('gateway', 'system', 'volumeName'),
    local: all<LocalVolumeSource>(needs('path'), fields({ path: noBacksteps })),
    csi: csi(persistent),
  }) satisfies Readonly<Record<string, Rule<never>>>;

export type DriverSource = keyof ReturnType<typeof driversOf>;

/** Of the drivers of a pod's volumes, and of persistent volumes. */
export const podDrivers: Readonly<Record<DriverSource, Rule<never>>> = driversOf(false);
export const persistentDrivers: Readonly<Record<DriverSource, Rule<never>>> = driversOf(true);
