/**
 * References from environment and volumes to the pod's own fields and resources, and to keys of ConfigMaps and Secrets.
 * Upstream: pkg/apis/core/validation/validation.go, pkg/apis/core/pods/helpers.go.
 */

import type { ObjectFieldSelector, ResourceFieldSelector } from '../../../generated/core-v1.ts';
import { checkConfigMapKey } from '../../../meta/names.ts';
import { canonicalizeQuantity } from '../../../meta/quantity.ts';
import { own } from '../../../meta/words.ts';
import { evenAbsent, fields, format, required } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { qualifiedName, subdomainName } from '../../shared-rules.ts';

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

export const fieldRef =
  (allowed: readonly string[]): Rule<ObjectFieldSelector> =>
  ({ apiVersion, fieldPath: path }, walk) => {
    if (!apiVersion) return walk.required('apiVersion');
    if (!path) return walk.required('fieldPath');
    const subscript = subscriptOf(path);
    const fieldPath = subscript?.base ?? path;
    const conversionError = conversionErrorOf(apiVersion, path, subscript);
    if (conversionError) return walk.invalid('fieldPath', path, `error converting fieldPath: ${conversionError}`);
    if (!subscript) {
      if (!allowed.includes(fieldPath)) walk.notSupported('fieldPath', fieldPath, allowed);
      return;
    }
    qualifiedName(fieldPath === 'metadata.annotations' ? subscript.key.toLowerCase() : subscript.key, walk, undefined);
  };

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

export const resourceFieldRef =
  ({ needsContainer }: { readonly needsContainer: boolean }): Rule<ResourceFieldSelector> =>
  (ref, walk) => {
    const { containerName, resource } = ref;
    if (needsContainer && !containerName) walk.required('containerName');
    else if (!resource) walk.required('resource');
    else if (!resourcePaths.includes(resource) && !isHugePagesPath(resource)) walk.notSupported('resource', resource, resourcePaths);
    const message = whatIsWrongWithDivisor(ref);
    if (message) walk.invalid('divisor', resource, message);
  };

function whatIsWrongWithDivisor({ divisor: given = '0', resource }: ResourceFieldSelector): string | undefined {
  const divisor = canonicalizeQuantity(given);
  if (divisor === '0') return undefined;
  const name = resource.slice(resource.indexOf('.') + 1);
  if (name === 'cpu') {
    return divisor === '1' || divisor === '1m' ? undefined : "only divisor's values 1m and 1 are supported with the cpu resource";
  }
  const called = isHugePagesPath(resource) ? 'hugepages' : own(sizeNames, name);
  if (!called || sizeDivisors.has(divisor)) return undefined;
  return `only divisor's values ${sizeDivisorsText} are supported with the ${called} resource`;
}
const sizeNames: Readonly<Record<string, string>> = { memory: 'memory', 'ephemeral-storage': 'local ephemeral storage' };

/** A key of a ConfigMap or Secret. */
export const keyRef = fields<{ readonly name?: string; readonly key: string }>({
  name: evenAbsent((name = '', walk) => subdomainName(name, walk, undefined)),
  key: required(format(checkConfigMapKey)),
});
