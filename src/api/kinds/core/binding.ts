/** Binding: what puts a pod on a node. It is only ever created, and not stored. Upstream: pkg/apis/core/validation (ValidatePodBinding). */
import { Binding } from '../../generated/kinds.ts';
import { fields, required } from '../../schema/rules/rules.ts';
import { defineKind } from '../define-kind.ts';

export const binding = defineKind(Binding, {
  hooks: {
    rules: fields({
      target: fields({
        kind: (kind, walk) => {
          if (kind && kind !== 'Node') walk.notSupported('', kind, ['Node', '<empty>']);
        },
        name: required(),
      }),
    }),
  },
});
