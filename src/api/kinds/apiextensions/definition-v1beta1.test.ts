/** What upstream stores of a definition, and what it is to clients. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inServedVersion } from './definition-v1beta1.ts';

const definition = (apiVersion: string, spec: object): Record<string, unknown> => ({
  kind: 'CustomResourceDefinition',
  apiVersion: `apiextensions.k8s.io/${apiVersion}`,
  metadata: { name: 'cakes.shop.io' },
  spec: { group: 'shop.io', scope: 'Namespaced', names: { plural: 'cakes', kind: 'Cake' }, ...spec },
  status: { storedVersions: ['v1'] },
});
const schema = { openAPIV3Schema: { type: 'object' } };
const clientConfig = { url: 'https://127.0.0.1/convert' };

const rows = [
  {
    name: 'one version, all of it beside',
    stored: {
      version: 'v1',
      validation: schema,
      subresources: { status: {} },
      additionalPrinterColumns: [{ name: 'Layers', type: 'integer', JSONPath: '.spec.layers' }],
      versions: [{ name: 'v1', served: true, storage: true }],
      conversion: { strategy: 'None' },
      preserveUnknownFields: false,
    },
    want: {
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema,
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: 'Layers', type: 'integer', jsonPath: '.spec.layers' }],
        },
      ],
      conversion: { strategy: 'None' },
      preserveUnknownFields: false,
    },
  },
  {
    name: 'two versions that differ, and a webhook',
    stored: {
      version: 'v1',
      versions: [
        { name: 'v1', served: true, storage: true, schema },
        { name: 'v2', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object', description: 'new' } } },
      ],
      conversion: { strategy: 'Webhook', webhookClientConfig: clientConfig, conversionReviewVersions: ['v1'] },
    },
    want: {
      versions: [
        { name: 'v1', served: true, storage: true, schema },
        { name: 'v2', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object', description: 'new' } } },
      ],
      conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } },
    },
  },
  { name: 'of old, without a list', stored: { version: 'v1' }, want: { versions: [{ name: 'v1', served: true, storage: true }] } },
];

for (const { name, stored, want } of rows) {
  test(name, () => {
    const served = JSON.parse(JSON.stringify(inServedVersion(definition('v1beta1', stored)))) as unknown;
    assert.deepEqual(served, definition('v1', want));
  });
}

test('what is in v1 stays', () => {
  const object = definition('v1', {});
  assert.equal(inServedVersion(object), object);
});
