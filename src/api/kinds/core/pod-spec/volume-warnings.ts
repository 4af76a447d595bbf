/** Files of one volume that get into each other's way. Upstream: pkg/api/pod/warnings.go. */
import type { Volume, VolumeProjection } from '../../../generated/core-v1.ts';
import { isEmptyObject, listOf } from '../../lists.ts';

interface Source {
  readonly path: string;
  readonly from: string;
}

const quoted = (name: string | undefined): string => JSON.stringify(name ?? '');
const text = ({ path, from }: Source): string => (from ? `${quoted(path)} (${from})` : quoted(path));

type Items = readonly { readonly path: string }[] | undefined;
const pathsOf = (items: Items, from = ''): readonly Source[] => listOf(items).map(({ path }) => ({ path, from }));

export function overlapWarnings(volumes: readonly Volume[]): readonly string[] {
  return volumes.flatMap((volume) => {
    const { name, configMap, secret, downwardAPI, projected } = volume;
    return [
      ...overlaps(name, `ConfigMap ${quoted(configMap?.name)}`, pathsOf(configMap?.items)),
      ...overlaps(name, `Secret ${quoted(secret?.secretName)}`, pathsOf(secret?.items)),
      ...overlaps(name, 'DownwardAPI', pathsOf(downwardAPI?.items)),
      ...listOf(projected?.sources).flatMap((source) =>
        isEmptyObject(source) ? [`volume ${quoted(name)} (Projected) has no sources provided`] : [],
      ),
      ...overlaps(name, 'Projected', listOf(projected?.sources).flatMap(pathsOfProjection)),
    ];
  });
}

function pathsOfProjection({ configMap, secret, downwardAPI, serviceAccountToken }: VolumeProjection): readonly Source[] {
  if (configMap?.items) return pathsOf(configMap.items, `ConfigMap ${quoted(configMap.name)}`);
  if (secret?.items) return pathsOf(secret.items, `Secret ${quoted(secret.name)}`);
  if (downwardAPI?.items) return pathsOf(downwardAPI.items, 'DownwardAPI');
  return serviceAccountToken ? [{ path: serviceAccountToken.path, from: 'ServiceAccountToken' }] : [];
}

/** Of one volume; a list that no two can share is short. */
const warningsMax = 100;

/** Each source with those before it. Sorted by their paths, all that lie below one follow it. */
function overlaps(volume: string, described: string, given: readonly Source[]): readonly string[] {
  const sources = given
    .map(({ path, from }, i) => ({ i, path: withoutSlashes(path), from }))
    .filter(({ path }) => path)
    .toSorted((a, b) => (`${a.path}/` < `${b.path}/` ? -1 : 1));
  const pairs: { readonly source: (typeof sources)[number]; readonly other: (typeof sources)[number] }[] = [];
  for (const [at, above] of sources.entries()) {
    for (let below = sources[at + 1], n = at + 1; below && `${below.path}/`.startsWith(`${above.path}/`); below = sources[++n]) {
      if (pairs.length === warningsMax) break;
      pairs.push(below.i > above.i ? { source: below, other: above } : { source: above, other: below });
    }
  }
  return pairs
    .toSorted((a, b) => a.source.i - b.source.i || a.other.i - b.other.i)
    .map(({ source, other }) => `volume ${quoted(volume)} (${described}): overlapping paths: ${text(source)} with ${text(other)}`);
}

function withoutSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}
