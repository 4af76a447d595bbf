/**
 * References from environment and volumes to the pod's own fields and resources, and to keys of ConfigMaps and Secrets.
 * Upstream: pkg/apis/core/validation/validation.go, pkg/apis/core/pods/helpers.go.
 */

import type { ObjectFieldSelector, ResourceFieldSelector } from '../../../generated/core-v1.ts';
import { checkConfigMapKey, checkQualifiedName, nameIsDnsSubdomain } from '../../../meta/names.ts';
import { canonicalizeQuantity } from '../../../meta/quantity.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { own } from '../../../meta/words.ts';
import { addInvalid, checkPresent, type Errors } from '../../checks.ts';

export const envFieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
export const volumeFieldPaths = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];
/** Every path that can be named anywhere. */
const knownFieldPaths = new Set([...envFieldPaths, ...volumeFieldPaths]);

const resourcePaths = ['limits', 'requests'].flatMap((list) => ['cpu', 'ephemeral-storage', 'memory'].map((name) => `${list}.${name}`));
const isHugePagesPath = (resource: string): boolean =>
  resource.startsWith('requests.hugepages-') || resource.startsWith('limits.hugepages-');

/** `metadata.labels['app']` in two parts, cut at the last bracket. */
function subscriptOf(path: string): { readonly base: string; readonly key: string } | undefined {
  const at = path.lastIndexOf("['");
  return at >= 0 && path.endsWith("']") && at + 4 <= path.length ? { base: path.slice(0, at), key: path.slice(at + 2, -2) } : undefined;
}

export function checkFieldRef(errors: Errors, path: string, ref: ObjectFieldSelector, allowed: readonly string[]): void {
  if (!checkPresent(errors, `${path}.apiVersion`, ref.apiVersion)) return;
  if (!checkPresent(errors, `${path}.fieldPath`, ref.fieldPath)) return;
  const subscript = subscriptOf(ref.fieldPath);
  const fieldPath = subscript?.base ?? ref.fieldPath;
  const conversionError = conversionErrorOf(ref.apiVersion ?? '', ref.fieldPath, subscript);
  if (conversionError) {
    errors.push(fieldErrors.invalid(`${path}.fieldPath`, ref.fieldPath, `error converting fieldPath: ${conversionError}`));
    return;
  }
  if (subscript) {
    const key = fieldPath === 'metadata.annotations' ? subscript.key.toLowerCase() : subscript.key;
    addInvalid(errors, path, key, checkQualifiedName(key));
  } else if (!allowed.includes(fieldPath)) {
    errors.push(fieldErrors.notSupported(`${path}.fieldPath`, fieldPath, allowed));
  }
}

function conversionErrorOf(apiVersion: string, fieldPath: string, subscript: { readonly base: string } | undefined): string | undefined {
  if (apiVersion !== 'v1') return `unsupported pod version: ${apiVersion}`;
  if (subscript) {
    const { base } = subscript;
    if (base === 'metadata.annotations' || base === 'metadata.labels') return undefined;
    return `field label does not support subscript: ${fieldPath}`;
  }
  return knownFieldPaths.has(fieldPath) || alsoConvertible.has(fieldPath) ? undefined : `field label not supported: ${fieldPath}`;
}
const alsoConvertible = new Set(['spec.restartPolicy', 'spec.schedulerName', 'status.phase', 'spec.host']);

const sizeDivisors = new Set(['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']);
const sizeDivisorsText = [...sizeDivisors].join(', ');

export function checkResourceFieldRef(errors: Errors, path: string, ref: ResourceFieldSelector, needsContainer: boolean): void {
  if (needsContainer && !ref.containerName) errors.push(fieldErrors.required(`${path}.containerName`));
  else if (!ref.resource) errors.push(fieldErrors.required(`${path}.resource`));
  else if (!resourcePaths.includes(ref.resource) && !isHugePagesPath(ref.resource)) {
    errors.push(fieldErrors.notSupported(`${path}.resource`, ref.resource, resourcePaths));
  }
  checkDivisor(errors, `${path}.divisor`, ref);
}

function checkDivisor(errors: Errors, path: string, ref: ResourceFieldSelector): void {
  const divisor = canonicalizeQuantity(ref.divisor ?? '0');
  if (divisor === '0') return;
  const { resource } = ref;
  const name = resource.slice(resource.indexOf('.') + 1);
  if (name === 'cpu') {
    if (divisor !== '1' && divisor !== '1m') {
      errors.push(fieldErrors.invalid(path, resource, "only divisor's values 1m and 1 are supported with the cpu resource"));
    }
    return;
  }
  const called = isHugePagesPath(resource) ? 'hugepages' : own(sizeNames, name);
  if (called && !sizeDivisors.has(divisor)) {
    errors.push(fieldErrors.invalid(path, resource, `only divisor's values ${sizeDivisorsText} are supported with the ${called} resource`));
  }
}
const sizeNames: Readonly<Record<string, string>> = { memory: 'memory', 'ephemeral-storage': 'local ephemeral storage' };

/** A key of a ConfigMap or Secret. */
export function checkKeyRef(errors: Errors, path: string, ref: { readonly name?: string; readonly key: string }): void {
  addInvalid(errors, `${path}.name`, ref.name ?? '', nameIsDnsSubdomain(ref.name ?? '', false));
  if (checkPresent(errors, `${path}.key`, ref.key)) addInvalid(errors, `${path}.key`, ref.key, checkConfigMapKey(ref.key));
}
