/**
 * The environment of a container: envFrom, then env in the order of declaration, then the services. Reads ConfigMaps
 * and Secrets through `sources`; a missing one that is not optional is an Error in upstream's wording, which becomes
 * CreateContainerConfigError.
 * Upstream: pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables).
 */

import type { ConfigMap, Container, EnvVar, FileKeySelector, Secret } from '../../../api/generated/core-v1.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { own } from '../../../api/meta/words.ts';
import { NoVolumeError } from '../volumes/read-volume-file.ts';
import { parseEnvFile } from './env-file.ts';
import { expandReferences } from './expand-references.ts';
import { containerResourceValue, type FieldContext, podFieldValue } from './pod-fields.ts';

export interface EnvironmentSources {
  configMap(namespace: string, name: string): Promise<ConfigMap>;
  secret(namespace: string, name: string): Promise<Secret>;
  /** the file of a volume that an environment variable is read from; rejects when it is larger than fileBytesMax */
  file(volumeName: string, path: string): Promise<Buffer>;
}

export interface EnvironmentInput extends FieldContext {
  readonly container: Container;
  readonly services: ReadonlyMap<string, string>;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly sources: EnvironmentSources;
}

export async function containerEnvironment(input: EnvironmentInput): Promise<ReadonlyMap<string, string>> {
  const { container, services } = input;
  const env = new Map<string, string>();
  for (const from of container.envFrom ?? []) {
    const data = from.configMapRef
      ? (await optional(from.configMapRef.optional, () => configMap(input, from.configMapRef?.name)))?.data
      : from.secretRef
        ? decoded(await optional(from.secretRef.optional, () => secret(input, from.secretRef?.name)))
        : undefined;
    for (const [key, value] of Object.entries(data ?? {})) env.set(`${from.prefix ?? ''}${key}`, value);
  }
  for (const variable of container.env ?? []) {
    const value = variable.value
      ? expandReferences(variable.value, (name) => env.get(name) ?? services.get(name))
      : await valueFrom(input, variable);
    if (value !== undefined) env.set(variable.name, value);
  }
  for (const [name, value] of services) if (!env.has(name)) env.set(name, value);
  return env;
}

const configMap = ({ sources, pod }: EnvironmentInput, name = ''): Promise<ConfigMap> => sources.configMap(pod.metadata.namespace, name);
const secret = ({ sources, pod }: EnvironmentInput, name = ''): Promise<Secret> => sources.secret(pod.metadata.namespace, name);
const decoded = (object: Secret | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(object?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));

async function optional<T>(isOptional: boolean | undefined, get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (isOptional && isNotFound(error)) return undefined;
    throw error;
  }
}

/** undefined: optional, and not there */
async function valueFrom(input: EnvironmentInput, { valueFrom: from }: EnvVar): Promise<string | undefined> {
  const { pod, container, allocatable } = input;
  if (!from) return '';
  if (from.fieldRef) return podFieldValue(from.fieldRef, input);
  if (from.resourceFieldRef) return containerResourceValue(from.resourceFieldRef, { pod, container, allocatable });
  const { configMapKeyRef, secretKeyRef, fileKeyRef } = from;
  if (configMapKeyRef) {
    const object = await optional(configMapKeyRef.optional, () => configMap(input, configMapKeyRef.name));
    return pick(object && { data: object.data ?? {} }, configMapKeyRef, `ConfigMap ${pod.metadata.namespace}/${configMapKeyRef.name}`);
  }
  if (secretKeyRef) {
    const object = await optional(secretKeyRef.optional, () => secret(input, secretKeyRef.name));
    return pick(object && { data: decoded(object) }, secretKeyRef, `Secret ${pod.metadata.namespace}/${secretKeyRef.name}`);
  }
  if (fileKeyRef) {
    const value = await fileValue(input, fileKeyRef);
    if (value) return value;
    if (fileKeyRef.optional) return undefined;
    throw new Error(`environment variable key "${fileKeyRef.key}" not found in file "${fileKeyRef.path}"`);
  }
  return '';
}

function pick(
  object: { readonly data: Readonly<Record<string, string>> } | undefined,
  ref: { readonly key: string; readonly optional?: boolean },
  where: string,
): string | undefined {
  const value = own(object?.data, ref.key);
  if (value === undefined && !ref.optional) throw new Error(`couldn't find key ${ref.key} in ${where}`);
  return value;
}

/** What is wrong with the file is not told to the pod's author: it may be none of his. */
async function fileValue({ sources }: EnvironmentInput, { volumeName, path, key }: FileKeySelector): Promise<string> {
  try {
    return parseEnvFile(await sources.file(volumeName, path), key);
  } catch (error) {
    if (error instanceof NoVolumeError) throw error;
    throw new Error("couldn't parse env file", { cause: error });
  }
}

/** What `$(NAME)` of a command or argument means: the container's whole environment. */
export function expandCommand(words: readonly string[] | undefined, env: ReadonlyMap<string, string>): readonly string[] {
  return (words ?? []).map((word) => expandReferences(word, (name) => env.get(name)));
}

/** The command of a probe or hook knows the literal variables of the container only. */
export function expandStaticCommand(words: readonly string[] | undefined, pod: Pick<Container, 'env'>): readonly string[] {
  const env = new Map((pod.env ?? []).map((v) => [v.name, v.value ?? '']));
  return expandCommand(words, env);
}
