/** Secret: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in data.a, type',
    given: { apiVersion: 'v1', kind: 'Secret', stringData: { a: 'b' }, data: { a: 'AAAA', c: 'AAAA' } },
    has: { 'data.a': 'Yg==', type: 'Opaque' },
  },
  {
    name: 'refuses data[tls.crt] and 1 more',
    given: { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', data: { a: 'AAAA' } },
    errors: ['data[tls.crt]: Required value', 'data[tls.key]: Required value'],
  },
  {
    name: 'refuses data[.dockerconfigjson]',
    given: { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/dockerconfigjson' },
    errors: ['data[.dockerconfigjson]: Required value'],
  },
  {
    name: 'says of a bad configuration what is wrong, and not what is in it',
    given: {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from('{"auths":{"r":hunter2}}').toString('base64') },
    },
    errors: [
      'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character \'h\' looking for beginning of value',
    ],
  },
  {
    name: 'reads no configuration of more values than a body has',
    given: {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(`{"auths":[${'{},'.repeat(100_000)}{}]}`).toString('base64') },
    },
    errors: ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": more than 100000 values'],
  },
  {
    name: 'says of an older configuration what it is instead of an object',
    given: {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/dockercfg',
      data: { '.dockercfg': Buffer.from('true').toString('base64') },
    },
    errors: [
      'data[.dockercfg]: Invalid value: "<secret contents redacted>": json: cannot unmarshal bool into Go value of type map[string]interface {}',
    ],
  },
  {
    name: 'refuses data[username] and 1 more',
    given: { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/basic-auth' },
    errors: ['data[username]: Required value', 'data[password]: Required value'],
  },
  {
    name: 'takes what is complete',
    given: { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/basic-auth', data: { username: 'AAAA' } },
  },
  {
    name: 'refuses data[ssh-privatekey]',
    given: { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/ssh-auth' },
    errors: ['data[ssh-privatekey]: Required value'],
  },
  {
    name: 'refuses metadata.annotations[kubernetes.io/service-account.name]',
    given: { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/service-account-token' },
    errors: ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  },
  {
    name: 'refuses data[a b]',
    given: { apiVersion: 'v1', kind: 'Secret', data: { 'a b': 'AAAA' } },
    errors: [
      "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
  },
  {
    name: 'warns of tls',
    given: { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', data: { 'tls.crt': 'YQ==', 'tls.key': 'YQ==' } },
    warnings: ['tls: failed to find any PEM data in certificate input'],
  },
]);

testUpdates({ apiVersion: 'v1', kind: 'Secret', immutable: true, data: { a: 'Yg==' } }, [
  {
    name: 'update: refuses data',
    change: { data: { a: 'Yw==' } },
    errors: ['data: Forbidden: field is immutable when `immutable` is set'],
  },
  { name: 'update: refuses type', change: { type: 'foo' }, errors: ['type: Invalid value: "foo": field is immutable'] },
  {
    name: 'update: refuses immutable',
    change: { immutable: null },
    errors: ['immutable: Forbidden: field is immutable when `immutable` is set'],
  },
]);
