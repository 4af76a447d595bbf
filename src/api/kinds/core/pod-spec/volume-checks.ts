/**
 * Checks of a pod's volumes: names, and exactly one source each. Sources of in-tree drivers that persistent volumes have
 * too are in driver-checks.ts. Upstream: pkg/apis/core/validation/validation.go (ValidateVolumes).
 */
import type { KeyToPath, Volume } from '../../../generated/core-v1.ts';
import { nameIsDnsSubdomain } from '../../../meta/names.ts';
import { compareQuantities } from '../../../meta/quantity.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { addInvalid, checkDnsLabel, checkOneOf, checkPresent, type Errors } from '../../checks.ts';
import { listOf } from '../../lists.ts';
import { checkClaimTemplate } from '../claim-checks.ts';
import type { SpecContext } from './context.ts';
import { checkDriver, type DriverSource, driverFields } from './driver-checks.ts';
import { checkFileMode } from './path-checks.ts';
import { checkDownwardFile, checkKeyToPath, checkProjections } from './projection-checks.ts';

type Source = Exclude<keyof Volume, 'name'>;

/** In the order in which upstream looks at them. */
const sources: readonly Source[] = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
];

/** Fields that upstream spells differently in one message. */
const spelling: Readonly<Record<string, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

export function checkVolumes(context: SpecContext, path: string, volumes: readonly Volume[]): void {
  const { errors, pod } = context;
  const created = new Set(pod?.name ? volumes.filter((v) => v.ephemeral).map((v) => `${pod.name}-${v.name}`) : []);
  for (const [i, volume] of volumes.entries()) {
    const at = `${path}[${i}]`;
    const before = errors.length;
    checkSource(context, at, volume);
    if (!volume.name) errors.push(fieldErrors.required(`${at}.name`));
    else checkDnsLabel(errors, `${at}.name`, volume.name);
    if (context.volumes.has(volume.name)) errors.push(fieldErrors.duplicate(`${at}.name`, volume.name));
    if (errors.length === before) context.volumes.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && created.has(claim)) {
      const message = 'must not reference a PVC that gets created for an ephemeral volume';
      errors.push(fieldErrors.invalid(`${at}.persistentVolumeClaim.claimName`, claim, message));
    }
  }
}

function checkSource(context: SpecContext, path: string, volume: Volume): void {
  let found = false;
  for (const source of sources) {
    if (volume[source] === undefined) continue;
    if (found)
      context.errors.push(fieldErrors.forbidden(`${path}.${spelling[source] ?? source}`, 'may not specify more than 1 volume type'));
    else checkOwnSource(context, path, { volume, source });
    found = true;
  }
  if (!found) context.errors.push(fieldErrors.required(path, 'must specify a volume type'));
  const { iscsi } = volume;
  if (iscsi?.initiatorName !== undefined && `${volume.name}:${iscsi.targetPortal}`.length > 64) {
    const message = 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
    context.errors.push(fieldErrors.invalid(`${path}.name`, volume.name, message));
  }
}

function checkOwnSource(context: SpecContext, path: string, { volume, source }: { volume: Volume; source: Source }): void {
  const { errors } = context;
  const at = `${path}.${source}`;
  if (volume.emptyDir) {
    const { sizeLimit } = volume.emptyDir;
    if (sizeLimit !== undefined && compareQuantities(sizeLimit, '0') < 0) {
      errors.push(fieldErrors.forbidden(`${at}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
    }
  } else if (volume.configMap) {
    checkPresent(errors, `${at}.name`, volume.configMap.name);
    checkItems(errors, at, volume.configMap);
  } else if (volume.secret) {
    checkPresent(errors, `${at}.secretName`, volume.secret.secretName);
    checkItems(errors, at, volume.secret);
  } else if (volume.projected) checkProjections(errors, at, volume.projected);
  else if (volume.downwardAPI) {
    checkFileMode(errors, `${at}.defaultMode`, volume.downwardAPI.defaultMode);
    for (const file of listOf(volume.downwardAPI.items)) checkDownwardFile(errors, at, file);
  } else if (volume.persistentVolumeClaim) checkPresent(errors, `${at}.claimName`, volume.persistentVolumeClaim.claimName);
  else if (volume.ephemeral) checkEphemeral(context, path, volume);
  else if (volume.image) {
    if (context.pod) checkPresent(errors, `${at}.reference`, volume.image.reference);
    checkOneOf(errors, `${at}.pullPolicy`, volume.image.pullPolicy, { of: ['Always', 'IfNotPresent', 'Never'] });
  } else if (source in driverFields)
    checkDriver(errors, path, { source: source as DriverSource, volume: volume as object, persistent: false });
}

function checkItems(errors: Errors, path: string, source: { defaultMode?: number; items?: readonly KeyToPath[] }): void {
  checkFileMode(errors, `${path}.defaultMode`, source.defaultMode);
  source.items?.forEach((item, i) => {
    checkKeyToPath(errors, `${path}.items[${i}]`, item);
  });
}

function checkEphemeral({ errors, pod }: SpecContext, path: string, volume: Volume): void {
  const template = volume.ephemeral?.volumeClaimTemplate;
  const at = `${path}.ephemeral.volumeClaimTemplate`;
  if (!template) errors.push(fieldErrors.required(at));
  else checkClaimTemplate(errors, at, template);
  if (!pod?.name || !volume.name) return;
  const claim = `${pod.name}-${volume.name}`;
  const messages = nameIsDnsSubdomain(claim, false).map((message) => `PVC name ${JSON.stringify(claim)}: ${message}`);
  addInvalid(errors, `${path}.name`, volume.name, messages);
}
