/** Rules of volume mounts and block devices of a container. Upstream: pkg/apis/core/validation/validation.go. */

import type { VolumeDevice, VolumeMount } from '../../../generated/core-v1.ts';
import { all, eachBy, fields, filled, oneOf } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { listOf } from '../../lists.ts';
import { contextOf } from './context.ts';
import type { AnyContainer } from './each-container.ts';
import { descendingPath, hasBacksteps } from './path-checks.ts';

const subPaths = fields<VolumeMount>({ subPath: filled(descendingPath) });
const subPathExprs = fields<VolumeMount>({ subPathExpr: filled(descendingPath) });

export const volumeMounts: Rule<AnyContainer> = (container, walk) => {
  if (!container.volumeMounts) return;
  const { volumes } = contextOf(walk);
  const deviceNames = new Set(listOf(container.volumeDevices).map((device) => device.name));
  const devicePaths = new Set(listOf(container.volumeDevices).map((device) => device.devicePath));
  const privileged = container.securityContext?.privileged ?? false;
  const mounts = eachBy<VolumeMount>(() => {
    const paths = new Set<string>();
    return (mount, at) => {
      const { name, mountPath, subPath, subPathExpr } = mount;
      if (!name) at.required('name');
      if (!volumes.has(name)) at.notFound('name', name);
      if (!mountPath) at.required('mountPath');
      if (paths.has(mountPath)) at.invalid('mountPath', mountPath, 'must be unique');
      paths.add(mountPath);
      if (deviceNames.has(name)) at.invalid('name', name, 'must not already exist in volumeDevices');
      if (devicePaths.has(mountPath)) at.invalid('mountPath', mountPath, 'must not already exist as a path in volumeDevices');
      at.outside(() => subPaths(mount, at, undefined));
      if (subPath && subPathExpr) at.invalid('subPathExpr', subPathExpr, 'subPathExpr and subPath are mutually exclusive');
      at.outside(() => {
        subPathExprs(mount, at, undefined);
        propagation(mount, at, undefined);
        if (mount.mountPropagation === 'Bidirectional' && !privileged) {
          at.forbidden('mountPropagation', 'Bidirectional mount propagation is available only to privileged containers');
        }
        recursion(mount, at, undefined);
      });
    };
  });
  walk.check('volumeMounts', container.volumeMounts, mounts);
};

const propagation = fields<VolumeMount>({ mountPropagation: oneOf('Bidirectional', 'HostToContainer', 'None') });
const recursion = all<VolumeMount>(
  fields({ recursiveReadOnly: oneOf('Disabled', 'Enabled', 'IfPossible') }),
  ({ mountPropagation, recursiveReadOnly, readOnly }, walk) => {
    if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') return;
    if (!readOnly) walk.forbidden('recursiveReadOnly', 'may only be specified when readOnly is true');
    if (mountPropagation === undefined || mountPropagation === 'None') return;
    walk.forbidden('recursiveReadOnly', 'may only be specified when mountPropagation is None or not specified');
  },
);

export const volumeDevices: Rule<AnyContainer> = (container, walk) => {
  if (!container.volumeDevices) return;
  const { volumes } = contextOf(walk);
  const mountNames = new Set(listOf(container.volumeMounts).map((mount) => mount.name));
  const mountPaths = new Set(listOf(container.volumeMounts).map((mount) => mount.mountPath));
  const devices = eachBy<VolumeDevice>(() => {
    const names = new Set<string>();
    const paths = new Set<string>();
    return ({ name, devicePath: path }, at) => {
      const volume = volumes.get(name);
      if (!name) at.required('name');
      if (names.has(name)) at.invalid('name', name, 'must be unique');
      if (!volume) at.notFound('name', name);
      else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
        at.invalid('name', name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode');
      }
      if (!path) at.required('devicePath');
      if (paths.has(path)) at.invalid('devicePath', path, 'must be unique');
      if (hasBacksteps(path)) at.invalid('devicePath', path, "can not contain backsteps ('..')");
      else paths.add(path);
      if (mountNames.has(name)) at.invalid('name', name, 'must not already exist in volumeMounts');
      if (mountPaths.has(path)) at.invalid('devicePath', path, 'must not already exist as a path in volumeMounts');
      if (name) names.add(name);
    };
  });
  walk.check('volumeDevices', container.volumeDevices, devices);
};
