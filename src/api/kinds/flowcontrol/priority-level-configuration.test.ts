/** PriorityLevelConfiguration: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.limited.nominalConcurrencyShares, spec.limited.limitResponse.queuing.queues and 4 more',
    given: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'PriorityLevelConfiguration',
      spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: {} } } },
    },
    has: {
      'spec.limited.nominalConcurrencyShares': 30,
      'spec.limited.limitResponse.queuing.queues': 64,
      'spec.limited.limitResponse.queuing.handSize': 8,
      'spec.limited.limitResponse.queuing.queueLengthLimit': 50,
      'spec.limited.lendablePercent': 0,
      status: {},
    },
  },
  {
    name: 'fills in spec.limited.lendablePercent, status',
    given: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'PriorityLevelConfiguration',
      spec: { type: 'Limited', limited: { nominalConcurrencyShares: 0, limitResponse: { type: 'Reject' } } },
    },
    has: { 'spec.limited.lendablePercent': 0, status: {} },
  },
  {
    name: 'refuses spec.type',
    given: { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'PriorityLevelConfiguration', spec: {} },
    errors: ['spec.type: Required value'],
  },
  {
    name: 'refuses spec.limited',
    given: { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'PriorityLevelConfiguration', spec: { type: 'Limited' } },
    errors: ['spec.limited: Required value: must not be empty when type is Limited'],
  },
  {
    name: 'refuses spec.exempt and 5 more',
    given: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'PriorityLevelConfiguration',
      spec: {
        type: 'Limited',
        exempt: {},
        limited: {
          nominalConcurrencyShares: -1,
          lendablePercent: 101,
          borrowingLimitPercent: -1,
          limitResponse: { type: 'Queue', queuing: { queues: 5, handSize: 8, queueLengthLimit: -1 } },
        },
      },
    },
    errors: [
      'spec.exempt: Forbidden: must be nil if the type is Limited',
      'spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
      'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
      'spec.limited.limitResponse.queuing.queueLengthLimit: Invalid value: -1: must be positive',
      'spec.limited.limitResponse.queuing.handSize: Invalid value: 8: should not be greater than queues (5)',
      'spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer',
    ],
  },
  {
    name: 'refuses spec.type and 1 more',
    given: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'PriorityLevelConfiguration',
      spec: { type: 'Exempt', limited: { limitResponse: { type: 'Foo' } } },
    },
    errors: [
      "spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'",
      'spec.limited: Forbidden: must be nil if the type is not Limited',
    ],
  },
  {
    name: 'refuses spec.limited.limitResponse.queuing.handSize',
    given: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'PriorityLevelConfiguration',
      spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: { queues: 5000, handSize: 80 } } } },
    },
    errors: [
      'spec.limited.limitResponse.queuing.handSize: Invalid value: 80: required entropy bits of deckSize 5000 and handSize 80 should not be greater than 60',
    ],
  },
  {
    name: 'refuses spec.type (2)',
    given: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'PriorityLevelConfiguration',
      spec: { type: 'Foo', limited: { limitResponse: { type: 'Reject', queuing: {} } } },
    },
    errors: ['spec.type: Unsupported value: "Foo": supported values: "Exempt", "Limited"'],
  },
]);
