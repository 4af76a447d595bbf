/**
 * What every cluster has from its first start: system namespaces, roles and bindings, flow schemas, priority levels and
 * priority classes, from ../../../api/data/bootstrap-policy.json.
 * Guarantee: when everything is as it should be, nothing is written.
 * Upstream: plugin/pkg/auth/authorizer/rbac/bootstrappolicy, pkg/registry/{rbac,flowcontrol,scheduling}/rest/storage_*.go,
 * pkg/controlplane/controller/systemnamespaces.
 */

import * as kinds from '../../../api/generated/kinds.ts';
import { apiVersionOf, type KindRef, type KubeObject, type New, type ObjectName } from '../../../api/meta/object.ts';
import { isAlreadyExists, isNotFound } from '../../../api/meta/status-error.ts';
import { own } from '../../../api/meta/words.ts';
import type { Client } from '../../../client/client.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { BootHook, HookDone } from '../publishing/health-checks.ts';
import { planBinding, planFlowControl, planPresent, planRole, type Step } from './policy-object.ts';

type Plan<T> = (existing: T | undefined, wanted: T) => Step<T>;
type PolicyData = Readonly<Record<string, readonly unknown[]>>;

export interface BootstrapTools {
  readonly reader: ObjectReader;
  readonly client: Client;
}

export const ignored: HookDone = () => undefined;

/** Resolves when all is there. Roles of namespaces come after the namespaces. */
export async function ensureBootstrapPolicy(tools: BootstrapTools, done: HookDone = ignored): Promise<void> {
  const { default: file } = await import('../../../api/data/bootstrap-policy.json', { with: { type: 'json' } });
  const data: PolicyData = file;
  const ensure = async <T extends KubeObject>(kind: KindRef<T>, list: string, plan: Plan<T>): Promise<void> => {
    await Promise.all((own(data, list) ?? []).map((wanted) => ensureObject(tools, kind, { plan, wanted: complete(kind, wanted) })));
  };
  await ensure(kinds.Namespace, 'namespaces', planPresent);
  done('start-system-namespaces-controller');
  const ensureAll = async (hook: BootHook, ...parts: readonly Promise<void>[]): Promise<void> => {
    await Promise.all(parts);
    done(hook);
  };
  await Promise.all([
    ensureAll(
      'rbac/bootstrap-roles',
      ensure(kinds.ClusterRole, 'clusterRoles', planRole),
      ensure(kinds.ClusterRoleBinding, 'clusterRoleBindings', planBinding),
      ensure(kinds.Role, 'roles', planRole),
      ensure(kinds.RoleBinding, 'roleBindings', planBinding),
    ),
    ensureAll(
      'priority-and-fairness-config-producer',
      ensure(kinds.PriorityLevelConfiguration, 'priorityLevels', planFlowControl),
      ensure(kinds.FlowSchema, 'flowSchemas', planFlowControl),
    ),
    ensureAll('scheduling/bootstrap-system-priority-classes', ensure(kinds.PriorityClass, 'priorityClasses', planPresent)),
  ]);
}

const complete = <T extends KubeObject>(kind: KindRef<T>, wanted: unknown): T =>
  ({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...(wanted as object) }) as T;

const attemptsMax = 3;

/** Reads, plans and writes one object; again when another writer was faster. */
export async function ensureObject<T extends KubeObject>(
  { reader, client }: BootstrapTools,
  kind: KindRef<T>,
  { plan, wanted }: { readonly plan: Plan<T>; readonly wanted: T },
): Promise<void> {
  const { name = '', namespace } = wanted.metadata;
  const at: ObjectName = { name, namespace };
  for (let attempt = 1; ; attempt++) {
    try {
      const step = plan(reader.get(kind, at), wanted);
      if (step.do === 'nothing') return;
      if (step.do === 'replace') await client.delete(kind, at);
      await (step.do === 'update' ? client.update(kind, step.object) : client.create(kind, step.object as unknown as New<T>));
      return;
    } catch (error) {
      if (attempt === attemptsMax || !(isAlreadyExists(error) || isNotFound(error))) throw error;
    }
  }
}
