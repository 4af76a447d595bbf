/** ResourcePoolStatusRequest, which is alpha and not served by default. Upstream: pkg/registry/resource/resourcepoolstatusrequest. */
import { ResourcePoolStatusRequest } from '../../generated/kinds.ts';
import { defineKind } from '../define-kind.ts';
import { statusAlone } from '../keep-metadata.ts';

export const resourcePoolStatusRequest = defineKind(ResourcePoolStatusRequest, {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  resetFields: statusAlone,
});
