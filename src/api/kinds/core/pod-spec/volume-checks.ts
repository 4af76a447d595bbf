/**
 * Checks of a pod's volumes: names, and exactly one source each. Sources of in-tree drivers that persistent volumes have
 * too are in driver-checks.ts. Upstream: pkg/apis/core/validation/validation.go (ValidateVolumes).
 */

import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  EmptyDirVolumeSource,
  EphemeralVolumeSource,
  ImageVolumeSource,
  SecretVolumeSource,
  Volume,
} from '../../../generated/core-v1.ts';
import { nameIsDnsSubdomain } from '../../../meta/names.ts';
import { compareQuantities } from '../../../meta/quantity.ts';
import { own } from '../../../meta/words.ts';
import { each, eachBy, fields, oneOf, required } from '../../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../../schema/rules/walk.ts';
import { dnsLabel } from '../../shared-rules.ts';
import { claimTemplate } from '../claim-checks.ts';
import { contextOf, type SpecContext } from './context.ts';
import { podDrivers } from './driver-checks.ts';
import { fileMode } from './path-checks.ts';
import { downwardFile, keyToPath, projections } from './projection-checks.ts';

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

/** Upstream names the volume, not the item. */
const downwardFiles = each<DownwardAPIVolumeFile>((file, walk) => walk.outside(() => downwardFile(file, walk, undefined), walk.depth - 2));
const imagePolicy = fields<ImageVolumeSource>({ pullPolicy: required(oneOf('Always', 'IfNotPresent', 'Never')) });
const items = { defaultMode: fileMode, items: each(keyToPath) };

/** Sources that are no drivers. */
const ownSources = {
  emptyDir: ({ sizeLimit }: EmptyDirVolumeSource, walk) => {
    if (sizeLimit === undefined || compareQuantities(sizeLimit, '0') >= 0) return;
    walk.forbidden('sizeLimit', 'SizeLimit field must be a valid resource quantity');
  },
  configMap: fields<ConfigMapVolumeSource>({ name: required(), ...items }),
  secret: fields<SecretVolumeSource>({ secretName: required(), ...items }),
  projected: projections,
  downwardAPI: fields<DownwardAPIVolumeSource>({ defaultMode: fileMode, items: downwardFiles }),
  persistentVolumeClaim: fields<{ readonly claimName: string }>({ claimName: required() }),
  ephemeral: ({ volumeClaimTemplate: template }: EphemeralVolumeSource, walk) => {
    if (template) walk.check('volumeClaimTemplate', template, claimTemplate);
    else walk.required('volumeClaimTemplate');
  },
  image: (image: ImageVolumeSource, walk) => {
    if (contextOf(walk).pod && !image.reference) walk.required('reference');
    imagePolicy(image, walk, undefined);
  },
} satisfies Partial<Record<Source, Rule<never>>>;

const rules: Readonly<Record<string, Rule<never>>> = { ...podDrivers, ...ownSources };

const source: Rule<Volume> = (volume, walk) => {
  const [first, ...more] = sources.filter((name) => volume[name] !== undefined);
  if (!first) walk.required('', 'must specify a volume type');
  else walk.check(first === 'gcePersistentDisk' ? 'persistentDisk' : first, volume[first] as never, rules[first] as Rule<never>);
  if (first === 'ephemeral') checkClaimName(volume, walk);
  for (const name of more) walk.forbidden(own(spelling, name) ?? name, 'may not specify more than 1 volume type');
  const { iscsi } = volume;
  if (iscsi?.initiatorName === undefined || `${volume.name}:${iscsi.targetPortal}`.length <= 64) return;
  const message = 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
  walk.invalid('name', volume.name, message);
};

/** Of the claim that a pod makes of an ephemeral volume. */
function checkClaimName({ name }: Volume, walk: Walk): void {
  const { pod } = contextOf(walk);
  if (!pod?.name || !name) return;
  const claim = `${pod.name}-${name}`;
  for (const message of nameIsDnsSubdomain(claim, false)) walk.invalid('name', name, `PVC name ${JSON.stringify(claim)}: ${message}`);
}

const named = fields<Volume>({ name: required(dnsLabel) });

export const volumes = eachBy<Volume>((list, { about }) => {
  const { pod, volumes: good } = about as SpecContext;
  const created = new Set(pod?.name ? list.filter((v) => v.ephemeral).map((v) => `${pod.name}-${v.name}`) : []);
  return (volume, walk, old) => {
    const { errors } = walk;
    const before = errors.length;
    source(volume, walk, old);
    named(volume, walk, old);
    if (good.has(volume.name)) walk.duplicate('name', volume.name);
    // What is put off counts as good.
    if (errors.length === before) good.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim === undefined || !created.has(claim)) return;
    walk.invalid('persistentVolumeClaim.claimName', claim, 'must not reference a PVC that gets created for an ephemeral volume');
  };
});
