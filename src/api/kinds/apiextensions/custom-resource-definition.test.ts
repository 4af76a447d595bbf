/** CustomResourceDefinition: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.names.singular, spec.names.listKind and 4 more',
    given: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'foos.a.b' },
      spec: {
        group: 'a.b',
        scope: 'Namespaced',
        names: { plural: 'foos', kind: 'Foo' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
    has: {
      'spec.names.singular': 'foo',
      'spec.names.listKind': 'FooList',
      'spec.conversion.strategy': 'None',
      'status.acceptedNames.plural': '',
      'status.acceptedNames.kind': '',
      'status.storedVersions': ['v1'],
    },
  },
  {
    name: 'refuses metadata.name and 8 more',
    given: { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', spec: {} },
    errors: [
      'metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group',
      'spec.group: Required value',
      'spec.scope: Required value',
      'spec.versions: Invalid value: null: must have exactly one version marked as storage version',
      'spec.names.plural: Required value',
      'spec.names.singular: Required value',
      'spec.names.kind: Required value',
      'spec.names.listKind: Required value',
      'status.storedVersions: Invalid value: null: must have at least one stored version',
    ],
  },
  {
    name: 'refuses spec.conversion.webhookClientConfig and 2 more',
    given: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'foos.a.k8s.io' },
      spec: {
        group: 'a.k8s.io',
        scope: 'Cluster',
        names: { plural: 'foos', kind: 'Foo' },
        conversion: { strategy: 'Webhook' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
    errors: [
      'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
      'spec.conversion.conversionReviewVersions: Required value',
      'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
    ],
  },
  {
    name: 'refuses spec.conversion.strategy and 1 more',
    given: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'foos.a.k8s.io', annotations: { 'api-approved.kubernetes.io': 'foo' } },
      spec: {
        group: 'a.k8s.io',
        scope: 'Cluster',
        names: { plural: 'foos', kind: 'Foo' },
        conversion: { strategy: 'Foo' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
    errors: [
      'spec.conversion.strategy: Unsupported value: "Foo": supported values: "None", "Webhook"',
      'metadata.annotations[api-approved.kubernetes.io]: Invalid value: "foo": protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111',
    ],
  },
  {
    name: 'fills in spec.names.singular, spec.names.listKind and 4 more (2)',
    given: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'foos.a.b' },
      spec: {
        group: 'a.b',
        scope: 'Namespaced',
        names: { plural: 'foos', kind: 'Foo' },
        versions: [
          { name: 'v1', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } } },
          {
            name: 'v2',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { a: { type: 'string' } } } },
          },
        ],
      },
    },
    has: {
      'spec.names.singular': 'foo',
      'spec.names.listKind': 'FooList',
      'spec.conversion.strategy': 'None',
      'status.acceptedNames.plural': '',
      'status.acceptedNames.kind': '',
      'status.storedVersions': ['v2'],
    },
  },
  {
    name: 'tells of each version where versions differ: schemas, columns, selectable fields',
    given: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'foos.a.b' },
      spec: {
        group: 'a.b',
        scope: 'Namespaced',
        names: { plural: 'foos', kind: 'Foo' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { a: { type: 'string', default: 5 }, b: { type: 'object' } } } },
            selectableFields: [{ jsonPath: '.a' }, { jsonPath: '.a' }, { jsonPath: '.b' }, { jsonPath: '.x' }, { jsonPath: ".['a']" }],
          },
          {
            name: 'v2',
            served: true,
            storage: false,
            schema: { openAPIV3Schema: {} },
            additionalPrinterColumns: [{ name: 'A', type: 'x' }],
          },
        ],
      },
    },
    errors: [
      'spec.versions[0].schema.openAPIV3Schema.properties[a].default: Invalid value: "integer":  in body must be of type string: "integer"',
      'spec.versions[0].selectableFields[1].jsonPath: Duplicate value: ".a"',
      'spec.versions[0].selectableFields[2].jsonPath: Invalid value: ".b": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      'spec.versions[0].selectableFields[3].jsonPath: Invalid value: ".x": is an invalid path: does not refer to a valid field',
      'spec.versions[0].selectableFields[4].jsonPath: Invalid value: ".[\'a\']": is an invalid path: does not refer to a valid field',
      'spec.versions[1].schema.openAPIV3Schema.type: Required value: must not be empty at the root',
      'spec.versions[1].additionalPrinterColumns[0].type: Invalid value: "x": must be one of boolean,date,integer,number,string',
      'spec.versions[1].additionalPrinterColumns[0].JSONPath: Required value',
    ],
  },
  {
    name: 'tells of the definition where versions do not differ',
    given: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'foos.a.b' },
      spec: {
        group: 'a.b',
        scope: 'Namespaced',
        names: { plural: 'foos', kind: 'Foo' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { a: {} } } },
            subresources: { status: {}, scale: { specReplicasPath: '.x', statusReplicasPath: '.status.x' } },
            selectableFields: [{ jsonPath: '.metadata.name' }],
          },
        ],
      },
    },
    errors: [
      'spec.validation.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields',
      'spec.subresources.scale.specReplicasPath: Invalid value: ".x": should be a json path under .spec',
      'spec.selectableFields[0].jsonPath: Invalid value: ".metadata.name": is an invalid path: does not refer to a valid field',
    ],
  },
]);

testUpdates(
  {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    spec: {
      group: 'a.b',
      scope: 'Namespaced',
      names: { plural: 'foos', kind: 'Foo' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
    metadata: { name: 'foos.a.b' },
  },
  [
    {
      name: 'update: refuses spec.group',
      change: { spec: { group: 'a.c' } },
      errors: ['spec.group: Invalid value: "a.c": field is immutable'],
    },
  ],
);
