/** Rules of projected volumes, and of the items that other volumes project too. Upstream: pkg/apis/core/validation/validation.go (validateProjectionSources). */

import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  SecretProjection,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '../../../generated/core-v1.ts';
import { all, each, evenAbsent, fields, max, min, required } from '../../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../../schema/rules/walk.ts';
import { fieldRef, resourceFieldRef, volumeFieldPaths } from './field-ref-checks.ts';
import { fileMode, projectedPath } from './path-checks.ts';

const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;

/** Absent, and whatever else is wrong with an empty one. */
const demandedPath: Rule<string> = all(required<string>(), projectedPath);

export const keyToPath = fields<KeyToPath>({ key: required(), path: demandedPath, mode: fileMode });

const refs = fields<DownwardAPIVolumeFile>({ fieldRef: fieldRef(volumeFieldPaths) });
const resourceRefs = fields<DownwardAPIVolumeFile>({ resourceFieldRef: resourceFieldRef({ needsContainer: true }) });
export const downwardFile = all<DownwardAPIVolumeFile>(
  fields({ path: demandedPath }),
  (file, walk, old) => {
    if (file.fieldRef) {
      refs(file, walk, old);
      if (file.resourceFieldRef) walk.invalid('', 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously');
    } else if (file.resourceFieldRef) resourceRefs(file, walk, old);
    else walk.required('', 'one of fieldRef and resourceFieldRef is required');
  },
  fields({ mode: fileMode }),
);

const tokenSeconds = all(
  min(tokenSecondsMin, 'may not specify a duration less than 10 minutes'),
  max(tokenSecondsMax, 'may not specify a duration larger than 2^32 seconds'),
);
const token = fields<ServiceAccountTokenProjection>({
  expirationSeconds: evenAbsent((seconds = 0, walk) => tokenSeconds(seconds, walk, undefined)),
});
const tokenPath = fields<ServiceAccountTokenProjection>({ path: required(projectedPath) });

const projected = fields<SecretProjection>({ name: required() });

export const projections: Rule<ProjectedVolumeSource> = (volume, walk) => {
  walk.check('defaultMode', volume.defaultMode, fileMode);
  const { depth } = walk;
  const taken = new Set<string>();
  const take = (at: Walk, target: string, owner: string): void => {
    if (taken.has(target)) at.outside(() => at.invalid('', owner, 'conflicting duplicate paths'), depth);
    if (target) taken.add(target);
  };
  const keyed: Rule<SecretProjection> = (source, place) => {
    projected(source, place, undefined);
    const item: Rule<KeyToPath> = (given, at) => {
      keyToPath(given, at, undefined);
      take(at, given.path, source.name ?? '');
    };
    place.check('items', source.items, each(item));
  };
  const downward: Rule<DownwardAPIVolumeFile> = (file, at) => {
    at.outside(() => downwardFile(file, at, undefined), at.depth - 2);
    take(at, file.path, file.path);
  };
  const source: Rule<VolumeProjection> = (given, at) => {
    const { serviceAccountToken, downwardAPI } = given;
    at.check('secret', given.secret, keyed);
    at.check('configMap', given.configMap, keyed);
    at.check('downwardAPI', downwardAPI, (_, place) => place.check('items', downwardAPI?.items, each(downward)));
    at.check('serviceAccountToken', serviceAccountToken, token);
    if (serviceAccountToken) at.outside(() => tokenPath(serviceAccountToken, at, undefined), depth);
    if (Object.keys(given).length > 1) at.forbidden('', 'may not specify more than 1 volume type per source');
  };
  walk.check('sources', volume.sources ?? undefined, each(source));
};
