/** Binding: what puts a pod on a node. It is only ever created, and not stored. Upstream: pkg/apis/core/validation (ValidatePodBinding). */
import { Binding } from '../../generated/kinds.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import { checkPresent, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';

export const binding = defineKind(Binding, {
  hooks: {
    validate({ target }) {
      const errors: Errors = [];
      if (target.kind && target.kind !== 'Node') errors.push(fieldErrors.notSupported('target.kind', target.kind, ['Node', '<empty>']));
      checkPresent(errors, 'target.name', target.name);
      return errors;
    },
  },
});
