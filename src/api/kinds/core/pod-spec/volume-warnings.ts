/** Files of one volume that get into each other's way. Upstream: pkg/api/pod/warnings.go. */
import type { Volume, VolumeProjection } from '../../../generated/core-v1.ts';
import { isEmptyObject, listOf } from '../../fill.ts';

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

function overlaps(volume: string, described: string, given: readonly Source[]): readonly string[] {
  const sources = given.map(({ path, from }) => ({ path: path.replace(/\/+$/, ''), from }));
  return sources.flatMap((source, i) =>
    sources
      .slice(0, i)
      .filter((other) => source.path && other.path && isInTheWay(source.path, other.path))
      .map((other) => `volume ${quoted(volume)} (${described}): overlapping paths: ${text(source)} with ${text(other)}`),
  );
}

const isInTheWay = (a: string, b: string): boolean => `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
