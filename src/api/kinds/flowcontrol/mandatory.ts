/** The schemas and levels that every server has, and that nobody may change. Upstream: apiserver/pkg/apis/flowcontrol/bootstrap. */
import type { FlowSchemaSpec, PriorityLevelConfigurationSpec } from '../../generated/flowcontrol-v1.ts';

const everythingOf = (...groups: readonly string[]): NonNullable<FlowSchemaSpec['rules']> => [
  {
    subjects: groups.map((name) => ({ kind: 'Group' as const, group: { name } })),
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  },
];

export const mandatorySchemas: Readonly<Record<string, FlowSchemaSpec>> = {
  exempt: {
    matchingPrecedence: 1,
    priorityLevelConfiguration: { name: 'exempt' },
    rules: everythingOf('system:masters'),
  },
  'catch-all': {
    matchingPrecedence: 10_000,
    priorityLevelConfiguration: { name: 'catch-all' },
    distinguisherMethod: { type: 'ByUser' },
    rules: everythingOf('system:unauthenticated', 'system:authenticated'),
  },
};

/** `exempt` is missing here: how much it lends is the administrator's choice. */
export const mandatoryLevels: Readonly<Record<string, PriorityLevelConfigurationSpec>> = {
  'catch-all': {
    type: 'Limited',
    limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
  },
};
