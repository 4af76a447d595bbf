/**
 * Defaults of a volume that depend on what it is: one without a source is an empty directory. Certificates of features
 * that are off upstream are dropped. Upstream: pkg/apis/core/v1/defaults.go, pkg/api/pod/util.go.
 */
import type { Volume, VolumeProjection } from '../../../generated/core-v1.ts';
import { change, mapSame, omit, setDefaultsWhereEmpty } from '../../set-defaults.ts';
import { pullPolicyOf } from './image.ts';

export function defaultVolume(volume: Volume): Volume {
  if (volume.projected) {
    return change(volume, 'projected', (source) => change(source, 'sources', (sources) => mapSame(sources, withoutCertificates)));
  }
  if (volume.image) {
    return change(volume, 'image', (source) => setDefaultsWhereEmpty(source, { pullPolicy: pullPolicyOf(source.reference) }));
  }
  return hasSource(volume) ? volume : { ...volume, emptyDir: {} };
}

function hasSource(volume: Volume): boolean {
  for (const key in volume) if (key !== 'name') return true;
  return false;
}

const withoutCertificates = (projection: VolumeProjection): VolumeProjection => omit(projection, 'clusterTrustBundle', 'podCertificate');
