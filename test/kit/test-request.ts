/** Admission requests for tests: what the verbs would pass, from as little as a test has to say. */
import assert from 'node:assert/strict';
import { builtInKinds } from '../../src/api/kinds/all.ts';
import { withDefaults } from '../../src/api/kinds/write-steps.ts';
import type { Kind } from '../../src/api/meta/kind.ts';
import type { KindRef, KubeObject } from '../../src/api/meta/object.ts';
import { isStatusError } from '../../src/api/meta/status-error.ts';
import { takeSteps } from '../../src/api/meta/steps.ts';
import type { AdmissionPlugin } from '../../src/control-plane/api-server/admission/plugin.ts';
import type { AdmissionOperation, AdmissionRequest, UserInfo } from '../../src/control-plane/api-server/request/request.ts';

export function kindOf(ref: KindRef): Kind {
  const kind = builtInKinds.find((each) => each.group === ref.group && each.version === ref.version && each.resource === ref.resource);
  if (!kind) throw new Error(`no built-in kind ${ref.kind}`);
  return kind;
}

export interface TestRequest {
  readonly kind: KindRef;
  readonly operation?: AdmissionOperation;
  readonly subresource?: string;
  readonly object?: KubeObject;
  readonly old?: KubeObject;
  readonly namespace?: string;
  readonly name?: string;
  readonly user?: UserInfo;
  readonly options?: unknown;
  readonly dryRun?: boolean;
  readonly warnings?: string[];
  readonly annotations?: string[];
}

export function testRequest(given: TestRequest): AdmissionRequest {
  const { object, old, subresource, options } = given;
  const metadata = (object ?? old)?.metadata;
  const namespace = given.namespace ?? metadata?.namespace;
  return {
    operation: given.operation ?? (object ? (old ? 'UPDATE' : 'CREATE') : 'DELETE'),
    kind: kindOf(given.kind),
    subresource: subresource || undefined,
    namespace: namespace || undefined,
    name: given.name ?? metadata?.name ?? '',
    user: given.user ?? { name: 'someone', groups: ['system:authenticated'] },
    object,
    oldObject: old,
    options,
    dryRun: given.dryRun ?? false,
    warn: (message) => given.warnings?.push(message),
    annotate: (key, value) => given.annotations?.push(`${key}: ${value}`),
    annotateDetail: (key, value) => given.annotations?.push(`${key}: ${value()}`),
  };
}

/** The object after the plugin, or the message of the error with which it refused. */
export async function runPlugin(plugin: AdmissionPlugin, given: TestRequest): Promise<KubeObject | string | undefined> {
  const request = testRequest(given);
  if (!plugin.handles(request.kind, request.operation, request.subresource)) return given.object;
  try {
    const admitted = await plugin.admit?.(request);
    const object = admitted ?? given.object;
    await plugin.validate?.(object ? { ...request, object } : request);
    if (admitted) await checkComplete(plugin, request);
    return object;
  } catch (error) {
    if (isStatusError(error)) return error.message;
    throw error;
  }
}

/** Nothing is defaulted after the plugins: what one adds to an object, it adds whole. */
async function checkComplete(plugin: AdmissionPlugin, request: AdmissionRequest): Promise<void> {
  if (!request.object || request.subresource) return;
  const complete = (object: KubeObject): KubeObject => takeSteps(withDefaults(request.kind, object));
  const given = complete(request.object);
  const object = (await plugin.admit?.({ ...request, object: given })) ?? given;
  assert.deepEqual(complete(object), object, `${plugin.name} leaves defaults out`);
}

/** What every stored object has. */
export const storedMeta = { uid: 'uid-1', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' } as const;
