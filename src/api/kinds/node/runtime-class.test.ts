/** RuntimeClass: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'takes what is complete',
    given: {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      handler: 'runc',
      overhead: { podFixed: { cpu: '100m' } },
      scheduling: { nodeSelector: { a: 'b' }, tolerations: [{ key: 'a', operator: 'Exists' }] },
    },
  },
  {
    name: 'refuses handler and 5 more',
    given: {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      handler: 'A_B',
      overhead: { podFixed: { foo: '100m', cpu: -1 } },
      scheduling: {
        nodeSelector: { 'a b': 'b' },
        tolerations: [
          { key: 'a', operator: 'Exists' },
          { key: 'a', operator: 'Exists', tolerationSeconds: 4 },
        ],
      },
    },
    errors: [
      "handler: Invalid value: \"A_B\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'overhead.limits[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'overhead.limits[foo]: Invalid value: "foo": must be a standard resource for containers',
      'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      "scheduling.nodeSelector: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'scheduling.tolerations[1].effect: Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set',
      'scheduling.tolerations[1]: Duplicate value: {"Key":"a","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":4}',
    ],
  },
  { name: 'refuses handler', given: { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass' }, errors: ['handler: Required value'] },
]);
