/** Rules of a container's environment. Upstream: pkg/apis/core/validation/validation.go. */

import type { EnvFromSource, EnvVar, EnvVarSource } from '../../../generated/core-v1.ts';
import { checkRelaxedEnvVarName, nameIsDnsSubdomain } from '../../../meta/names.ts';
import { all, each, fields, filled, format, required } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { dnsLabel } from '../../shared-rules.ts';
import { contextOf } from './context.ts';
import { envFieldPaths, fieldRef, keyRef, resourceFieldRef } from './field-ref-checks.ts';
import { noBacksteps } from './path-checks.ts';

const variableName = format(checkRelaxedEnvVarName);

const sources = fields<EnvVarSource>({
  fieldRef: fieldRef(envFieldPaths),
  resourceFieldRef: resourceFieldRef({ needsContainer: false }),
  configMapKeyRef: keyRef,
  secretKeyRef: keyRef,
  fileKeyRef: fields({ key: required(variableName), volumeName: required(dnsLabel), path: required(noBacksteps) }),
});
const sourceFields = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'] as const;

export const env = each<EnvVar>(
  all(fields({ name: required(variableName) }), ({ value, valueFrom: source }, walk) => {
    if (!source) return;
    walk.check('valueFrom', source, sources);
    const count = sourceFields.filter((field) => source[field]).length;
    const refuse = (message: string): void => walk.invalid('valueFrom', '', message);
    if (!count) refuse('must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`');
    else if (value) refuse('may not be specified when `value` is not empty');
    else if (count > 1) refuse('may not have more than one field specified at a time');
  }),
);

const named = fields<{ readonly name?: string }>({ name: required(format((name) => nameIsDnsSubdomain(name, true))) });

export const envFrom = each<EnvFromSource>(
  all(fields({ prefix: filled(variableName), configMapRef: named, secretRef: named }), ({ configMapRef, secretRef }, walk) => {
    if (!configMapRef === !secretRef) {
      const message = configMapRef
        ? 'may not have more than one field specified at a time'
        : 'must specify one of: `configMapRef` or `secretRef`';
      walk.outside(() => walk.invalid('', '', message));
    }
  }),
);

/** Variables from files: the volume has to be an emptyDir. */
const fileVariable: Rule<EnvVar> = ({ valueFrom }, walk) => {
  const name = valueFrom?.fileKeyRef?.volumeName;
  if (name === undefined) return;
  const volume = contextOf(walk).allVolumes.get(name);
  const at = 'valueFrom.fileKeyRef.volumeName';
  if (!volume) walk.notFound(at, name);
  else if (!volume.emptyDir) walk.invalid(at, name, 'referenced volume must be of type emptyDir');
};
export const fileVariables = each(fileVariable);
