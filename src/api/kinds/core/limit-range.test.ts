/** LimitRange: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.limits[0].max.cpu, spec.limits[0].default.cpu and 3 more',
    given: {
      apiVersion: 'v1',
      kind: 'LimitRange',
      spec: {
        limits: [
          { type: 'Container', max: { cpu: 2 }, min: { memory: '1Mi' }, default: { memory: '4Mi' } },
          { type: 'Pod', max: { cpu: 1 } },
        ],
      },
    },
    has: {
      'spec.limits[0].max.cpu': '2',
      'spec.limits[0].default.cpu': '2',
      'spec.limits[0].defaultRequest.cpu': '2',
      'spec.limits[0].defaultRequest.memory': '4Mi',
      'spec.limits[1].max.cpu': '1',
    },
  },
  {
    name: 'refuses spec.limits[0].type and 9 more',
    given: {
      apiVersion: 'v1',
      kind: 'LimitRange',
      spec: {
        limits: [
          { type: 'Foo' },
          { type: 'Pod', default: { cpu: 1 } },
          { type: 'Pod', min: { cpu: 2 }, max: { cpu: 1 } },
          { type: 'PersistentVolumeClaim', max: { cpu: 1 } },
          {
            type: 'Container',
            min: { cpu: 2 },
            max: { cpu: 3 },
            default: { cpu: 1 },
            defaultRequest: { cpu: 4 },
            maxLimitRequestRatio: { cpu: '500m', memory: 1 },
          },
          { type: 'a b', max: { foo: 1 } },
        ],
      },
    },
    errors: [
      'spec.limits[0].type: Invalid value: "Foo": must be a standard limit type or fully qualified',
      "spec.limits[1].default: Forbidden: may not be specified when `type` is 'Pod'",
      'spec.limits[2].type: Duplicate value: "Pod"',
      'spec.limits[2].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      'spec.limits[3].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
      'spec.limits[4].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than max value 3',
      'spec.limits[4].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than default limit value 1',
      'spec.limits[4].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
      'spec.limits[4].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
      "spec.limits[5].type: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.limits[5].max[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
    ],
  },
]);
