/**
 * The resource metrics API as an add-on: what nodes and pods use, read from the kubelets when somebody wants to know
 * (`kubectl top`, autoscalers). Whoever brings a metrics server of his own says so in the APIService, which is his then.
 */
import { APIService, ClusterRole } from '../../api/generated/kinds.ts';
import { builtInPriority } from '../../api/kinds/group-priorities.ts';
import { defineAddon } from '../addon.ts';

const group = 'metrics.k8s.io';
const version = 'v1beta1';
const priority = builtInPriority({ group, version });
const forRoles = ['view', 'edit', 'admin'].map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true']);

export const metrics = defineAddon({
  name: 'metrics',
  about: 'what nodes and pods use: kubectl top, autoscalers',
  serviceAccount: 'timonier-metrics',
  needsServer: true,
  rights: [
    { apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get', 'list'] },
    { apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] },
  ],
  objects: () => [
    {
      kind: APIService,
      object: {
        metadata: { name: `${version}.${group}` },
        spec: { group, version, groupPriorityMinimum: priority?.group, versionPriority: priority?.version },
      },
      yieldsTo: (service) => (service as APIService).spec.service !== undefined,
    },
    {
      kind: ClusterRole,
      object: {
        metadata: { name: 'system:timonier:metrics-reader', labels: Object.fromEntries(forRoles) },
        rules: [{ apiGroups: [group], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
      },
    },
  ],
  async start(context, stack) {
    const { startMetrics } = await import('./start-metrics.ts');
    await startMetrics(context, stack);
  },
});
