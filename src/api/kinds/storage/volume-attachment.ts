/** VolumeAttachment. Upstream: pkg/registry/storage/volumeattachment/strategy.go, pkg/apis/storage/validation/validation.go. */

import type { PersistentVolumeSpec } from '../../generated/core-v1.ts';
import { VolumeAttachment } from '../../generated/kinds.ts';
import type { VolumeAttachmentSource, VolumeAttachmentStatus, VolumeError } from '../../generated/storage-v1.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { nameIsDnsSubdomain, rangeMessage } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { addJudged } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { addInvalid, type Errors, immutableMessage } from '../checks.ts';
import { checkAccessModes } from '../core/claim-checks.ts';
import { driverName, persistentDrivers } from '../core/pod-spec/driver-checks.ts';
import { defineKind } from '../define-kind.ts';
import { keepMetadata, statusAlone } from '../keep-metadata.ts';

const bytesMax = 256 * 1024;
const messageMax = 1024;

export const volumeAttachment = defineKind(VolumeAttachment, {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  resetFields: statusAlone,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: { attached: false } }),
    prepareForStatusUpdate: keepMetadata,
    validate,
    validateStatus: (object) => validate(object),
    cells: nameAndAge(({ spec, status }) => [
      spec.attacher,
      spec.source.persistentVolumeName ?? '',
      spec.nodeName,
      status.attached ?? false,
    ]),
  },
});

function validate(object: VolumeAttachment, old?: VolumeAttachment): readonly FieldError[] {
  const errors: Errors = [];
  const { spec, status } = object;
  addJudged(errors, 'spec.attacher', spec.attacher ?? '', driverName);
  checkSource(errors, 'spec.source', spec.source ?? {});
  addInvalid(errors, 'spec.nodeName', spec.nodeName ?? '', nameIsDnsSubdomain(spec.nodeName ?? '', false));
  checkStatus(errors, 'status', status);
  const volume = spec.source?.persistentVolumeName;
  if (volume !== undefined) addInvalid(errors, 'spec.source.persistentVolumeName', volume, nameIsDnsSubdomain(volume, false));
  if (old && !equalSemantically(spec, old.spec)) {
    const { attacher: Attacher, nodeName: NodeName, source } = spec;
    const { persistentVolumeName, inlineVolumeSpec } = source;
    const Source = { PersistentVolumeName: persistentVolumeName ?? null, InlineVolumeSpec: inlineVolumeSpec ?? null };
    errors.push(fieldErrors.invalid('spec', { Attacher, Source, NodeName }, immutableMessage));
  }
  return errors;
}

function checkSource(errors: Errors, path: string, { inlineVolumeSpec: inline, persistentVolumeName: name }: VolumeAttachmentSource): void {
  const message = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (inline && name !== undefined) errors.push(fieldErrors.forbidden(path, message));
  else if (inline) checkInline(errors, `${path}.inlineVolumeSpec`, inline);
  else if (name === undefined) errors.push(fieldErrors.required(path, message));
  else if (!name) errors.push(fieldErrors.required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName'));
}

const inlineMessage = 'may not be specified in the context of inline volumes';
const notInline = ['claimRef', 'capacity', 'nodeAffinity', 'storageClassName'] as const;

/** A volume that was never an object of its own: a driver's, and nothing that is about binding. */
function checkInline(errors: Errors, path: string, spec: PersistentVolumeSpec): void {
  for (const field of notInline) if (spec[field]) errors.push(fieldErrors.forbidden(`${path}.${field}`, inlineMessage));
  if (spec.csi) addJudged(errors, `${path}.csi`, spec.csi as never, persistentDrivers.csi);
  else errors.push(fieldErrors.required(`${path}.csi`, 'has to be specified in the context of inline volumes'));
  if (!spec.accessModes?.length) errors.push(fieldErrors.required(`${path}.accessModes`));
  checkAccessModes(errors, `${path}.accessModes`, spec.accessModes ?? []);
  if (spec.volumeMode && spec.volumeMode !== 'Filesystem') {
    const message = 'may not specify volumeMode other than Filesystem in the context of inline volumes';
    errors.push(fieldErrors.forbidden(`${path}.volumeMode`, message));
  }
  const policy = spec.persistentVolumeReclaimPolicy;
  if (policy && policy !== 'Retain') {
    errors.push(fieldErrors.forbidden(`${path}.persistentVolumeReclaimPolicy`, 'may only be Retain in the context of inline volumes'));
  }
}

function checkStatus(errors: Errors, path: string, status: VolumeAttachmentStatus): void {
  const size = Object.entries(status.attachmentMetadata ?? {}).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (size > bytesMax) errors.push(fieldErrors.tooLong(`${path}.attachmentMetadata`, bytesMax));
  for (const field of ['attachError', 'detachError'] as const) checkError(errors, `${path}.${field}`, status[field]);
}

function checkError(errors: Errors, path: string, error: VolumeError | undefined): void {
  if ((error?.message?.length ?? 0) > messageMax) errors.push(fieldErrors.tooLong(`${path}.message`, bytesMax));
  const code = error?.errorCode;
  if (code !== undefined && code < 0) errors.push(fieldErrors.invalid(`${path}.errorCode`, code, rangeMessage(0, 2 ** 31 - 1)));
}
