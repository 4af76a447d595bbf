/** Checks of volume mounts and block devices of a container. Upstream: pkg/apis/core/validation/validation.go. */
import type { VolumeMount } from '../../../generated/core-v1.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { checkPresent, checkSupported, type Errors } from '../../checks.ts';
import { listOf } from '../../lists.ts';
import type { SpecContext } from './context.ts';
import type { AnyContainer } from './each-container.ts';
import { checkDescendingPath, hasBacksteps } from './path-checks.ts';

const propagations = ['Bidirectional', 'HostToContainer', 'None'];

export function checkVolumeMounts({ errors, volumes }: SpecContext, path: string, container: AnyContainer): void {
  const deviceNames = new Set(listOf(container.volumeDevices).map((device) => device.name));
  const devicePaths = new Set(listOf(container.volumeDevices).map((device) => device.devicePath));
  const paths = new Set<string>();
  listOf(container.volumeMounts).forEach((mount, i) => {
    const at = `${path}[${i}]`;
    const { name, mountPath, subPath, subPathExpr } = mount;
    checkPresent(errors, `${at}.name`, name);
    if (!volumes.has(name)) errors.push(fieldErrors.notFound(`${at}.name`, name));
    checkPresent(errors, `${at}.mountPath`, mountPath);
    if (paths.has(mountPath)) errors.push(fieldErrors.invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    if (deviceNames.has(name)) {
      errors.push(fieldErrors.invalid(`${at}.name`, name, 'must not already exist in volumeDevices'));
    }
    if (devicePaths.has(mountPath)) {
      errors.push(fieldErrors.invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
    }
    if (subPath) checkDescendingPath(errors, `${path}.subPath`, subPath);
    if (subPathExpr) {
      if (subPath) errors.push(fieldErrors.invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
      checkDescendingPath(errors, `${path}.subPathExpr`, subPathExpr);
    }
    checkPropagation(errors, path, { mount, privileged: container.securityContext?.privileged ?? false });
  });
}

function checkPropagation(errors: Errors, path: string, { mount, privileged }: { mount: VolumeMount; privileged: boolean }): void {
  const { mountPropagation, recursiveReadOnly } = mount;
  checkSupported(errors, `${path}.mountPropagation`, mountPropagation, propagations);
  if (mountPropagation === 'Bidirectional' && !privileged) {
    const message = 'Bidirectional mount propagation is available only to privileged containers';
    errors.push(fieldErrors.forbidden(`${path}.mountPropagation`, message));
  }
  const at = `${path}.recursiveReadOnly`;
  checkSupported(errors, at, recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible']);
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') return;
  if (!mount.readOnly) errors.push(fieldErrors.forbidden(at, 'may only be specified when readOnly is true'));
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    errors.push(fieldErrors.forbidden(at, 'may only be specified when mountPropagation is None or not specified'));
  }
}

export function checkVolumeDevices({ errors, volumes }: SpecContext, path: string, container: AnyContainer): void {
  const mountNames = new Set(listOf(container.volumeMounts).map((mount) => mount.name));
  const mountPaths = new Set(listOf(container.volumeMounts).map((mount) => mount.mountPath));
  const names = new Set<string>();
  const paths = new Set<string>();
  listOf(container.volumeDevices).forEach(({ name, devicePath }, i) => {
    const at = `${path}[${i}]`;
    const volume = volumes.get(name);
    checkPresent(errors, `${at}.name`, name);
    if (names.has(name)) errors.push(fieldErrors.invalid(`${at}.name`, name, 'must be unique'));
    if (!volume) errors.push(fieldErrors.notFound(`${at}.name`, name));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const message = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(fieldErrors.invalid(`${at}.name`, name, message));
    }
    checkPresent(errors, `${at}.devicePath`, devicePath);
    if (paths.has(devicePath)) errors.push(fieldErrors.invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    if (hasBacksteps(devicePath)) {
      errors.push(fieldErrors.invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else paths.add(devicePath);
    if (mountNames.has(name)) {
      errors.push(fieldErrors.invalid(`${at}.name`, name, 'must not already exist in volumeMounts'));
    }
    if (mountPaths.has(devicePath)) {
      errors.push(fieldErrors.invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
    }
    if (name) names.add(name);
  });
}
