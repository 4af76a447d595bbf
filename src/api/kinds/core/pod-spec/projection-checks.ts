/** Checks of projected volumes, and of the items that other volumes project too. Upstream: pkg/apis/core/validation/validation.go (validateProjectionSources). */
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '../../../generated/core-v1.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { checkPresent, type Errors } from '../../checks.ts';
import { listOf } from '../../lists.ts';
import { checkFieldRef, checkResourceFieldRef, volumeFieldPaths } from './field-ref-checks.ts';
import { checkFileMode, checkProjectedPath } from './path-checks.ts';

const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;

export function checkProjections(errors: Errors, path: string, volume: ProjectedVolumeSource): void {
  checkFileMode(errors, `${path}.defaultMode`, volume.defaultMode);
  const taken = new Set<string>();
  const take = (target: string, owner: string): void => {
    if (!target) return;
    if (taken.has(target)) errors.push(fieldErrors.invalid(path, owner, 'conflicting duplicate paths'));
    taken.add(target);
  };
  listOf(volume.sources).forEach((source, i) => {
    const at = `${path}.sources[${i}]`;
    checkKeyed(errors, at, { source, take });
    for (const file of listOf(source.downwardAPI?.items)) {
      checkDownwardFile(errors, `${at}.downwardAPI`, file);
      take(file.path, file.path);
    }
    if (source.serviceAccountToken) checkToken(errors, { at, path }, source.serviceAccountToken);
    if (Object.keys(source).length > 1) errors.push(fieldErrors.forbidden(at, 'may not specify more than 1 volume type per source'));
  });
}

type Take = (target: string, owner: string) => void;

function checkKeyed(errors: Errors, path: string, { source, take }: { source: VolumeProjection; take: Take }): void {
  for (const field of ['secret', 'configMap'] as const) {
    const projection = source[field];
    if (!projection) continue;
    checkPresent(errors, `${path}.${field}.name`, projection.name);
    listOf(projection.items).forEach((item, i) => {
      checkKeyToPath(errors, `${path}.${field}.items[${i}]`, item);
      take(item.path, projection.name ?? '');
    });
  }
}

function checkToken(errors: Errors, { at, path }: { at: string; path: string }, token: ServiceAccountTokenProjection): void {
  const seconds = token.expirationSeconds ?? 0;
  const field = `${at}.serviceAccountToken.expirationSeconds`;
  if (seconds < tokenSecondsMin) errors.push(fieldErrors.invalid(field, seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > tokenSecondsMax) errors.push(fieldErrors.invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds'));
  if (checkPresent(errors, `${path}.path`, token.path)) checkProjectedPath(errors, `${path}.path`, token.path);
}

export function checkKeyToPath(errors: Errors, path: string, item: KeyToPath): void {
  checkPresent(errors, `${path}.key`, item.key);
  checkPresent(errors, `${path}.path`, item.path);
  checkProjectedPath(errors, `${path}.path`, item.path);
  checkFileMode(errors, `${path}.mode`, item.mode);
}

export function checkDownwardFile(errors: Errors, path: string, file: DownwardAPIVolumeFile): void {
  checkPresent(errors, `${path}.path`, file.path);
  checkProjectedPath(errors, `${path}.path`, file.path);
  if (file.fieldRef) {
    checkFieldRef(errors, `${path}.fieldRef`, file.fieldRef, volumeFieldPaths);
    if (file.resourceFieldRef) {
      errors.push(fieldErrors.invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
    }
  } else if (file.resourceFieldRef) checkResourceFieldRef(errors, `${path}.resourceFieldRef`, file.resourceFieldRef, true);
  else errors.push(fieldErrors.required(path, 'one of fieldRef and resourceFieldRef is required'));
  checkFileMode(errors, `${path}.mode`, file.mode);
}
