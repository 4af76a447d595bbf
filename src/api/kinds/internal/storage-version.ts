/** StorageVersion, which is alpha and not served by default. Upstream: pkg/registry/apiserverinternal/storageversion. */
import { StorageVersion } from '../../generated/kinds.ts';
import { defineKind } from '../define-kind.ts';
import { statusAlone } from '../keep-metadata.ts';

export const storageVersion = defineKind(StorageVersion, { allowUnconditionalUpdate: false, resetFields: statusAlone });
