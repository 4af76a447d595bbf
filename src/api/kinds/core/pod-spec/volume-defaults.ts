/** Defaults of a volume. Constant ones of the in-tree drivers are in the type table. Upstream: pkg/apis/core/v1/defaults.go. */
import type { DownwardAPIVolumeFile, Volume, VolumeProjection } from '../../../generated/core-v1.ts';
import { change, fill, fillEmpty, listOf, mapSame, omit } from '../../fill.ts';
import { defaultFieldSelector } from './container-defaults.ts';
import { pullPolicyOf } from './image.ts';

const fileMode = 0o644;
const tokenExpirationSeconds = 3600;

export function defaultVolume(volume: Volume): Volume {
  if (volume.emptyDir) return volume;
  if (volume.configMap) return change(volume, 'configMap', (source) => fill(source, { defaultMode: fileMode }));
  if (volume.secret) return change(volume, 'secret', (source) => fill(source, { defaultMode: fileMode }));
  if (volume.hostPath) return change(volume, 'hostPath', (source) => fill(source, { type: '' }));
  if (volume.projected) {
    return change(volume, 'projected', (source) =>
      change(fill(source, { defaultMode: fileMode }), 'sources', (sources) => mapSame(sources, defaultProjection)),
    );
  }
  if (volume.downwardAPI) {
    return change(volume, 'downwardAPI', (source) =>
      change(fill(source, { defaultMode: fileMode }), 'items', (items) => mapSame(items, defaultFile)),
    );
  }
  if (volume.ephemeral) {
    return change(volume, 'ephemeral', (source) =>
      change(source, 'volumeClaimTemplate', (template) => change(template, 'spec', (spec) => fill(spec, { volumeMode: 'Filesystem' }))),
    );
  }
  if (volume.image) {
    return change(volume, 'image', (source) => fillEmpty(source, { pullPolicy: pullPolicyOf(source.reference) }));
  }
  return hasSource(volume) ? volume : { ...volume, emptyDir: {} };
}

function hasSource(volume: Volume): boolean {
  for (const key in volume) if (key !== 'name') return true;
  return false;
}

/** Certificates of other sources are dropped, as those features are off upstream. */
function defaultProjection(given: VolumeProjection): VolumeProjection {
  const projection = omit(given, 'clusterTrustBundle', 'podCertificate');
  const { serviceAccountToken, downwardAPI } = projection;
  if (serviceAccountToken?.expirationSeconds === undefined && serviceAccountToken) {
    return { ...projection, serviceAccountToken: { ...serviceAccountToken, expirationSeconds: tokenExpirationSeconds } };
  }
  if (!downwardAPI) return projection;
  return change(projection, 'downwardAPI', (source) => change(source, 'items', (items) => mapSame(listOf(items), defaultFile)));
}

const defaultFile = (file: DownwardAPIVolumeFile): DownwardAPIVolumeFile =>
  change(change(file, 'fieldRef', defaultFieldSelector), 'resourceFieldRef', (selector) => fill(selector, { divisor: '0' }));
