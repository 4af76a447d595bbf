/** Workload, PodGroup and ResourcePoolStatusRequest: what their types' tags refuse. */
import { testCreates, testUpdates } from '../cases.test.ts';

const workload = (spec: object) => ({ apiVersion: 'scheduling.k8s.io/v1alpha2', kind: 'Workload', spec });
const group = (spec: object) => ({ apiVersion: 'scheduling.k8s.io/v1alpha2', kind: 'PodGroup', spec });
const request = (spec: object) => ({ apiVersion: 'resource.k8s.io/v1alpha3', kind: 'ResourcePoolStatusRequest', spec });
const template = (name: string, more: object = {}) => ({ name, schedulingPolicy: { basic: {} }, ...more });

testCreates([
  { name: 'a workload without templates', given: workload({}), errors: ['spec.podGroupTemplates: Required value'] },
  {
    name: 'a workload with too many templates: none of them is looked at',
    given: workload({ podGroupTemplates: Array.from({ length: 9 }, () => template('')) }),
    errors: ['spec.podGroupTemplates: Too many: 9: must have at most 8 items'],
  },
  {
    name: 'templates of one name, one without, and one that says both and neither',
    given: workload({
      podGroupTemplates: [
        template('a'),
        template('a'),
        template(''),
        { name: 'b', schedulingPolicy: { basic: {}, gang: { minCount: 0 } } },
      ],
    }),
    errors: [
      'spec.podGroupTemplates[1]: Duplicate value: {"name":"a","schedulingPolicy":{"basic":{}}}',
      'spec.podGroupTemplates[2].name: Required value',
      'spec.podGroupTemplates[3].schedulingPolicy: Invalid value: "{basic, gang}": must specify exactly one of: `basic`, `gang`',
      'spec.podGroupTemplates[3].schedulingPolicy.gang.minCount: Required value',
    ],
  },
  {
    name: 'a gang of less than one',
    given: group({ schedulingPolicy: { gang: { minCount: -1 } } }),
    errors: ['spec.schedulingPolicy.gang.minCount: Invalid value: -1: must be greater than or equal to 1'],
  },
  {
    name: 'no policy',
    given: group({ schedulingPolicy: {} }),
    errors: ['spec.schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`'],
  },
  {
    name: 'what belongs to features that are off is dropped',
    given: group({ schedulingPolicy: { basic: {} }, priority: 5, schedulingConstraints: { topology: [{ key: 'a' }] } }),
    has: { 'spec.priority': undefined, 'spec.schedulingConstraints': undefined },
  },
  {
    name: 'a reference that names half',
    given: group({ schedulingPolicy: { basic: {} }, podGroupTemplateRef: { workload: { workloadName: 'A b', podGroupTemplateName: '' } } }),
    errors: [
      "spec.podGroupTemplateRef.workload.workloadName: Invalid value: \"A b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.podGroupTemplateRef.workload.podGroupTemplateName: Required value',
    ],
  },
  { name: 'a request for the state of a pool', given: request({ driver: 'A.b', poolName: 'a/b' }) },
  {
    name: 'a request for nothing',
    given: request({ poolName: 'a//b', limit: 1001 }),
    errors: [
      'spec.driver: Required value',
      'spec.limit: Invalid value: 1001: must be less than or equal to 1000',
      'spec.poolName: Invalid value: "a//b": segment 1: must not be empty',
    ],
  },
]);

testUpdates(workload({ podGroupTemplates: [template('a')] }), [
  {
    name: 'the templates of a workload stay',
    change: { spec: { podGroupTemplates: [template('b')] } },
    errors: ['spec.podGroupTemplates: Invalid value: null: field is immutable'],
  },
  { name: 'a workload gets a label', change: { metadata: { labels: { a: 'b' } } } },
]);

testUpdates(request({ driver: 'a' }), [
  {
    name: 'the state of a pool',
    change: { status: { poolCount: -1, pools: [{ driver: 'a', poolName: 'b', generation: 0 }] } },
    subresource: 'status',
    errors: ['status.poolCount: Invalid value: -1: must be greater than or equal to 0', 'status.pools[0].generation: Required value'],
  },
  { name: 'a request stays', change: { spec: { driver: 'b' } }, errors: ['spec: Invalid value: null: field is immutable'] },
]);
