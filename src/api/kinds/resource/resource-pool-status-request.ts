/**
 * ResourcePoolStatusRequest, which is alpha and not served by default: its types say what is wrong with it, by tags
 * (../../schema/tags.ts). Upstream: pkg/registry/resource/resourcepoolstatusrequest/strategy.go.
 */
import { ResourcePoolStatusRequest } from '../../generated/kinds.ts';
import { defineKind } from '../define-kind.ts';
import { keepMetadata, statusAlone } from '../keep-metadata.ts';
import { omit } from '../set-defaults.ts';

export const resourcePoolStatusRequest = defineKind(ResourcePoolStatusRequest, {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  resetFields: statusAlone,
  hooks: { prepareForCreate: (object) => omit(object, 'status'), prepareForStatusUpdate: keepMetadata },
});
