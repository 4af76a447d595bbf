/** StorageVersionMigration, which is beta and not served by default. Upstream: pkg/registry/storagemigration/storagemigration. */
import { StorageVersionMigration } from '../../generated/kinds.ts';
import { fields, immutable } from '../../schema/rules/rules.ts';
import { textColumns } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { keepMetadata, statusAlone } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';

const states = ['Running', 'Failed', 'Succeeded'];

export const storageVersionMigration = defineKind(StorageVersionMigration, {
  allowUnconditionalUpdate: false,
  resetFields: statusAlone,
  columns: textColumns('Name', 'Resource', 'Status'),
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: {} }),
    prepareForStatusUpdate: keepMetadata,
    rules: fields({ spec: immutable() }),
    cells: ({ metadata, spec, status }) => {
      const { group, resource } = spec.resource;
      const current = listOf(status.conditions).findLast((c) => c.status === 'True' && states.includes(c.type));
      return [metadata.name, group ? `${resource}.${group}` : resource, current?.type ?? 'Unknown'];
    },
  },
});
