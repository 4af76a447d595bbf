/** CSIStorageCapacity. Upstream: pkg/apis/storage/validation/validation.go. */
import { CSIStorageCapacity } from '../../generated/kinds.ts';
import { all, countedAs, fields, immutable, nonNegativeQuantity, onCreate } from '../../schema/rules/rules.ts';
import { defineKind } from '../define-kind.ts';
import { dnsSubdomain, selector } from '../shared-rules.ts';

export const csiStorageCapacity = defineKind(CSIStorageCapacity, {
  allowUnconditionalUpdate: false,
  hooks: {
    rules: fields({
      nodeTopology: all(onCreate(selector), immutable()),
      storageClassName: all<string>(onCreate(countedAs('', dnsSubdomain)), immutable()),
      capacity: onCreate(nonNegativeQuantity),
    }),
    cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? null],
  },
});
