/** IngressClass. Upstream: pkg/apis/networking/validation/validation.go. */
import { IngressClass } from '../../generated/kinds.ts';
import type { IngressClassParametersReference } from '../../generated/networking-v1.ts';
import { nameIsDnsLabel } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { ageOf } from '../cells.ts';
import { addInvalid, checkImmutable, checkOneOf, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkDomainPath } from '../domain-checks.ts';
import { checkTypedReference } from '../references.ts';

const controllerMax = 250;
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';

export const ingressClass = defineKind(IngressClass, {
  hasGeneration: true,
  hooks: {
    validate,
    cells: (object, at) => {
      const { metadata, spec } = object;
      const isDefault = metadata.annotations?.[defaultAnnotation] === 'true';
      return [
        isDefault ? `${metadata.name} (default)` : metadata.name,
        spec.controller ?? '',
        spec.parameters ? parametersText(spec.parameters) : '<none>',
        ageOf(object, at),
      ];
    },
  },
});

const parametersText = ({ kind, name, apiGroup }: IngressClassParametersReference): string =>
  `${apiGroup === undefined ? kind : `${kind}.${apiGroup}`}/${name}`;

function validate({ spec }: IngressClass, old?: IngressClass): readonly FieldError[] {
  const errors: Errors = [];
  const { controller = '', parameters } = spec;
  if (old) checkImmutable(errors, 'spec.controller', controller, old.spec.controller ?? '');
  if (controller.length > controllerMax) errors.push(fieldErrors.tooLong('spec.controller', controllerMax));
  checkDomainPath(errors, 'spec.controller', controller);
  if (parameters) checkParameters(errors, 'spec.parameters', parameters);
  return errors;
}

function checkParameters(errors: Errors, path: string, parameters: IngressClassParametersReference): void {
  const { scope, namespace } = parameters;
  checkTypedReference(errors, path, parameters);
  checkOneOf(errors, `${path}.scope`, scope, { of: ['Cluster', 'Namespace'], emptyIsValue: true });
  const at = `${path}.namespace`;
  if (scope === 'Namespace') {
    if (namespace === undefined) errors.push(fieldErrors.required(at, "`parameters.scope` is set to 'Namespace'"));
    else addInvalid(errors, at, namespace, nameIsDnsLabel(namespace, false));
  }
  if (scope === 'Cluster' && namespace !== undefined) errors.push(fieldErrors.forbidden(at, "`parameters.scope` is set to 'Cluster'"));
}
