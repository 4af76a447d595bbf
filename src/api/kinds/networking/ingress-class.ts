/** IngressClass. Upstream: pkg/apis/networking/validation/validation.go. */
import { IngressClass } from '../../generated/kinds.ts';
import type { IngressClassParametersReference, IngressClassSpec } from '../../generated/networking-v1.ts';
import { nameIsDnsLabel } from '../../meta/names.ts';
import { all, countedAs, fields, format, immutable, lengthMax, oneOf, present } from '../../schema/rules/rules.ts';
import { ageOf } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { domainPath } from '../domain-checks.ts';
import { typedReference } from '../references.ts';

const controllerMax = 250;
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';

const namespaceName = format((name: string) => nameIsDnsLabel(name, false));
const parametersRule = all<IngressClassParametersReference>(
  typedReference,
  fields({ scope: present(oneOf('Cluster', 'Namespace')) }),
  ({ scope, namespace }, walk) => {
    if (scope === 'Namespace') {
      walk.check('namespace', namespace, namespaceName);
      if (namespace === undefined) walk.required('namespace', "`parameters.scope` is set to 'Namespace'");
    }
    if (scope === 'Cluster' && namespace !== undefined) walk.forbidden('namespace', "`parameters.scope` is set to 'Cluster'");
  },
);

const classRule = fields<IngressClassSpec>({
  controller: countedAs('', all(immutable<string>(), lengthMax(controllerMax), domainPath)),
  parameters: parametersRule,
});

export const ingressClass = defineKind(IngressClass, {
  hasGeneration: true,
  hooks: {
    rules: fields({ spec: classRule }),
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
