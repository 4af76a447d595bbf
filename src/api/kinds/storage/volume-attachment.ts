/** VolumeAttachment. Upstream: pkg/registry/storage/volumeattachment/strategy.go, pkg/apis/storage/validation/validation.go. */

import type { PersistentVolumeSpec } from '../../generated/core-v1.ts';
import { VolumeAttachment } from '../../generated/kinds.ts';
import type { VolumeAttachmentSource, VolumeAttachmentSpec, VolumeAttachmentStatus, VolumeError } from '../../generated/storage-v1.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { rangeMessage } from '../../meta/names.ts';
import { all, countedAs, fields, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { immutableMessage } from '../checks.ts';
import { accessModes } from '../core/claim-checks.ts';
import { driverName, persistentDrivers } from '../core/pod-spec/driver-checks.ts';
import { defineKind } from '../define-kind.ts';
import { keepMetadata, statusAlone } from '../keep-metadata.ts';
import { subdomainName } from '../shared-rules.ts';

const bytesMax = 256 * 1024;
const messageMax = 1024;

const inlineMessage = 'may not be specified in the context of inline volumes';
const notInline = ['claimRef', 'capacity', 'nodeAffinity', 'storageClassName'] as const;

/** A volume that was never an object of its own: a driver's, and nothing that is about binding. */
const inlineVolume = all<PersistentVolumeSpec>(
  (spec, walk) => {
    for (const field of notInline) if (spec[field]) walk.forbidden(field, inlineMessage);
  },
  fields({
    csi: required(persistentDrivers.csi as Rule<object>, 'has to be specified in the context of inline volumes'),
    accessModes: required(accessModes),
    volumeMode: (mode, walk) => {
      if (mode && mode !== 'Filesystem')
        walk.forbidden('', 'may not specify volumeMode other than Filesystem in the context of inline volumes');
    },
    persistentVolumeReclaimPolicy: (policy, walk) => {
      if (policy && policy !== 'Retain') walk.forbidden('', 'may only be Retain in the context of inline volumes');
    },
  }),
);

const source: Rule<VolumeAttachmentSource> = ({ inlineVolumeSpec: inline, persistentVolumeName: name }, walk) => {
  const message = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (inline && name !== undefined) walk.forbidden('', message);
  else if (inline) walk.check('inlineVolumeSpec', inline, inlineVolume);
  else if (name === undefined) walk.required('', message);
  else if (!name) walk.required('persistentVolumeName', 'must specify non empty persistentVolumeName');
};

const error: Rule<VolumeError> = ({ message = '', errorCode: code = 0 }, walk) => {
  if (message.length > messageMax) walk.tooLong('message', bytesMax);
  if (code < 0) walk.invalid('errorCode', code, rangeMessage(0, 2 ** 31 - 1));
};

const attachmentMetadata: Rule<Readonly<Record<string, string>>> = (given, walk) => {
  const size = Object.entries(given).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (size > bytesMax) walk.tooLong('', bytesMax);
};

const rules = all<VolumeAttachment>(
  fields({
    spec: fields<VolumeAttachmentSpec>({ attacher: driverName, source: countedAs({}, source), nodeName: countedAs('', subdomainName) }),
    status: fields<VolumeAttachmentStatus>({ attachmentMetadata, attachError: error, detachError: error }),
  }),
  fields({
    spec: fields<VolumeAttachmentSpec>({ source: fields<VolumeAttachmentSource>({ persistentVolumeName: subdomainName }) }),
  }),
);

const lastingSpec: Rule<VolumeAttachment> = ({ spec }, walk, old) => {
  if (!old || equalSemantically(spec, old.spec)) return;
  const { attacher: Attacher, nodeName: NodeName, source: given } = spec;
  const Source = { PersistentVolumeName: given.persistentVolumeName ?? null, InlineVolumeSpec: given.inlineVolumeSpec ?? null };
  walk.invalid('spec', { Attacher, Source, NodeName }, immutableMessage);
};

export const volumeAttachment = defineKind(VolumeAttachment, {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  resetFields: statusAlone,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: { attached: false } }),
    prepareForStatusUpdate: keepMetadata,
    rules: all(rules, lastingSpec),
    statusRules: rules,
    cells: nameAndAge(({ spec, status }) => [
      spec.attacher,
      spec.source.persistentVolumeName ?? '',
      spec.nodeName,
      status.attached ?? false,
    ]),
  },
});
