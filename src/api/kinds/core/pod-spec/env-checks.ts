/** Checks of a container's environment. Upstream: pkg/apis/core/validation/validation.go. */
import type { EnvFromSource, EnvVar, FileKeySelector } from '../../../generated/core-v1.ts';
import { checkRelaxedEnvVarName, nameIsDnsSubdomain } from '../../../meta/names.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { addInvalid, checkDnsLabel, checkPresent, type Errors } from '../../checks.ts';
import type { SpecContext } from './context.ts';
import { checkFieldRef, checkKeyRef, checkResourceFieldRef, envFieldPaths } from './field-ref-checks.ts';
import { checkNoBacksteps } from './path-checks.ts';

export function checkEnv(errors: Errors, path: string, env: readonly EnvVar[]): void {
  for (const [i, variable] of env.entries()) {
    const at = `${path}[${i}]`;
    if (!variable.name) errors.push(fieldErrors.required(`${at}.name`));
    else addInvalid(errors, `${at}.name`, variable.name, checkRelaxedEnvVarName(variable.name));
    if (variable.valueFrom) checkValueFrom(errors, `${at}.valueFrom`, variable);
  }
}

function checkValueFrom(errors: Errors, path: string, variable: EnvVar): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = variable.valueFrom ?? {};
  if (fieldRef) checkFieldRef(errors, `${path}.fieldRef`, fieldRef, envFieldPaths);
  if (resourceFieldRef) checkResourceFieldRef(errors, `${path}.resourceFieldRef`, resourceFieldRef, false);
  if (configMapKeyRef) checkKeyRef(errors, `${path}.configMapKeyRef`, configMapKeyRef);
  if (secretKeyRef) checkKeyRef(errors, `${path}.secretKeyRef`, secretKeyRef);
  if (fileKeyRef) checkFileKeyRef(errors, `${path}.fileKeyRef`, fileKeyRef);
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (!count) {
    const message = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(fieldErrors.invalid(path, '', message));
  } else if (variable.value) errors.push(fieldErrors.invalid(path, '', 'may not be specified when `value` is not empty'));
  else if (count > 1) errors.push(fieldErrors.invalid(path, '', 'may not have more than one field specified at a time'));
}

function checkFileKeyRef(errors: Errors, path: string, ref: FileKeySelector): void {
  if (checkPresent(errors, `${path}.key`, ref.key)) addInvalid(errors, `${path}.key`, ref.key, checkRelaxedEnvVarName(ref.key));
  if (checkPresent(errors, `${path}.volumeName`, ref.volumeName)) checkDnsLabel(errors, `${path}.volumeName`, ref.volumeName);
  if (checkPresent(errors, `${path}.path`, ref.path)) checkNoBacksteps(errors, `${path}.path`, ref.path);
}

export function checkEnvFrom(errors: Errors, path: string, sources: readonly EnvFromSource[]): void {
  for (const [i, source] of sources.entries()) {
    const at = `${path}[${i}]`;
    if (source.prefix) addInvalid(errors, `${at}.prefix`, source.prefix, checkRelaxedEnvVarName(source.prefix));
    if (source.configMapRef) checkRefName(errors, `${at}.configMapRef.name`, source.configMapRef.name);
    if (source.secretRef) checkRefName(errors, `${at}.secretRef.name`, source.secretRef.name);
    if (!source.configMapRef && !source.secretRef) {
      errors.push(fieldErrors.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (source.configMapRef && source.secretRef) {
      errors.push(fieldErrors.invalid(path, '', 'may not have more than one field specified at a time'));
    }
  }
}

function checkRefName(errors: Errors, path: string, name: string | undefined): void {
  if (checkPresent(errors, path, name)) addInvalid(errors, path, name, nameIsDnsSubdomain(name ?? '', true));
}

/** Variables from files: the volume has to be an emptyDir. `path` is the container's. */
export function checkEnvFiles(context: SpecContext, path: string, env: readonly EnvVar[]): void {
  for (const [i, variable] of env.entries()) {
    const name = variable.valueFrom?.fileKeyRef?.volumeName;
    if (name === undefined) continue;
    const at = `${path}.env[${i}].valueFrom.fileKeyRef.volumeName`;
    const volume = context.allVolumes.get(name);
    if (!volume) context.errors.push(fieldErrors.notFound(at, name));
    else if (!volume.emptyDir) context.errors.push(fieldErrors.invalid(at, name, 'referenced volume must be of type emptyDir'));
  }
}
