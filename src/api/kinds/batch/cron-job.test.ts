/** CronJob: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.concurrencyPolicy, spec.suspend and 13 more',
    given: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      spec: {
        schedule: '*/5 * * * *',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } } },
      },
    },
    has: {
      'spec.concurrencyPolicy': 'Allow',
      'spec.suspend': false,
      'spec.jobTemplate.metadata': {},
      'spec.jobTemplate.spec.template.metadata': {},
      'spec.jobTemplate.spec.template.spec.containers[0].resources': {},
      'spec.jobTemplate.spec.template.spec.containers[0].terminationMessagePath': '/dev/termination-log',
      'spec.jobTemplate.spec.template.spec.containers[0].terminationMessagePolicy': 'File',
      'spec.jobTemplate.spec.template.spec.containers[0].imagePullPolicy': 'Always',
      'spec.jobTemplate.spec.template.spec.terminationGracePeriodSeconds': 30,
      'spec.jobTemplate.spec.template.spec.dnsPolicy': 'ClusterFirst',
      'spec.jobTemplate.spec.template.spec.securityContext': {},
      'spec.jobTemplate.spec.template.spec.schedulerName': 'default-scheduler',
      'spec.successfulJobsHistoryLimit': 3,
      'spec.failedJobsHistoryLimit': 1,
      status: {},
    },
  },
  {
    name: 'refuses spec.schedule and 8 more',
    given: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' },
      spec: {
        schedule: 'foo',
        timeZone: 'Foo/Bar',
        startingDeadlineSeconds: -1,
        concurrencyPolicy: 'X',
        failedJobsHistoryLimit: -1,
        jobTemplate: {
          spec: {
            manualSelector: true,
            selector: { matchLabels: { a: 'b' } },
            template: { spec: { containers: [{ name: 'c', image: 'x' }] } },
          },
        },
      },
    },
    errors: [
      'spec.schedule: Invalid value: "foo": expected exactly 5 fields, found 1: [foo]',
      'spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0',
      'spec.timeZone: Invalid value: "Foo/Bar": unknown time zone Foo/Bar',
      'spec.concurrencyPolicy: Unsupported value: "X": supported values: "Allow", "Forbid", "Replace"',
      'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
      'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
      'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
      'spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
      'metadata.name: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": must be no more than 52 characters',
    ],
  },
  {
    name: 'refuses spec.schedule and 1 more',
    given: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      spec: {
        schedule: '70 * * * *',
        timeZone: '',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } } },
      },
    },
    errors: [
      'spec.schedule: Invalid value: "70 * * * *": end of range (70) above maximum (59): 70',
      'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string',
    ],
  },
  {
    name: 'refuses spec.schedule and 1 more (2)',
    given: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      spec: {
        schedule: 'TZ=UTC */0 x-5 1-2-3 */2/3 *',
        timeZone: 'local',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } } },
      },
    },
    errors: [
      'spec.schedule: Invalid value: "TZ=UTC */0 x-5 1-2-3 */2/3 *": step of range should be a positive number: */0',
      'spec.schedule: Invalid value: "TZ=UTC */0 x-5 1-2-3 */2/3 *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      'spec.timeZone: Invalid value: "local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      'spec.timeZone: Invalid value: "local": unknown time zone local',
    ],
  },
  {
    name: 'refuses spec.schedule',
    given: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      spec: {
        schedule: '@foo',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } } },
      },
    },
    errors: ['spec.schedule: Invalid value: "@foo": unrecognized descriptor: @foo'],
  },
  {
    name: 'fills in spec.concurrencyPolicy, spec.suspend and 13 more (2)',
    given: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      spec: {
        schedule: '@every 5m',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } } },
      },
    },
    has: {
      'spec.concurrencyPolicy': 'Allow',
      'spec.suspend': false,
      'spec.jobTemplate.metadata': {},
      'spec.jobTemplate.spec.template.metadata': {},
      'spec.jobTemplate.spec.template.spec.containers[0].resources': {},
      'spec.jobTemplate.spec.template.spec.containers[0].terminationMessagePath': '/dev/termination-log',
      'spec.jobTemplate.spec.template.spec.containers[0].terminationMessagePolicy': 'File',
      'spec.jobTemplate.spec.template.spec.containers[0].imagePullPolicy': 'Always',
      'spec.jobTemplate.spec.template.spec.terminationGracePeriodSeconds': 30,
      'spec.jobTemplate.spec.template.spec.dnsPolicy': 'ClusterFirst',
      'spec.jobTemplate.spec.template.spec.securityContext': {},
      'spec.jobTemplate.spec.template.spec.schedulerName': 'default-scheduler',
      'spec.successfulJobsHistoryLimit': 3,
      'spec.failedJobsHistoryLimit': 1,
      status: {},
    },
  },
  {
    name: 'warns of metadata.name and 1 more',
    given: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'a.b' },
      spec: {
        schedule: '* * * * *',
        jobTemplate: {
          spec: {
            template: {
              spec: { nodeSelector: { 'beta.kubernetes.io/os': 'x' }, restartPolicy: 'Never', containers: [{ name: 'a', image: 'x' }] },
            },
          },
        },
      },
    },
    has: {
      'spec.concurrencyPolicy': 'Allow',
      'spec.suspend': false,
      'spec.jobTemplate.metadata': {},
      'spec.jobTemplate.spec.template.metadata': {},
      'spec.jobTemplate.spec.template.spec.containers[0].resources': {},
      'spec.jobTemplate.spec.template.spec.containers[0].terminationMessagePath': '/dev/termination-log',
      'spec.jobTemplate.spec.template.spec.containers[0].terminationMessagePolicy': 'File',
      'spec.jobTemplate.spec.template.spec.containers[0].imagePullPolicy': 'Always',
      'spec.jobTemplate.spec.template.spec.terminationGracePeriodSeconds': 30,
      'spec.jobTemplate.spec.template.spec.dnsPolicy': 'ClusterFirst',
      'spec.jobTemplate.spec.template.spec.securityContext': {},
      'spec.jobTemplate.spec.template.spec.schedulerName': 'default-scheduler',
      'spec.successfulJobsHistoryLimit': 3,
      'spec.failedJobsHistoryLimit': 1,
      status: {},
    },
    warnings: [
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
      'spec.jobTemplate.spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
    ],
  },
]);

testUpdates(
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    spec: {
      schedule: '* * * * *',
      jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'x' }] } } } },
    },
  },
  [
    {
      name: 'update: refuses spec.schedule',
      change: { spec: { schedule: 'TZ=UTC * * * * *' } },
      errors: ['spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead'],
    },
    {
      name: 'update: refuses spec.schedule',
      change: { spec: { schedule: 'foo' } },
      errors: ['spec.schedule: Invalid value: "foo": expected exactly 5 fields, found 1: [foo]'],
    },
    { name: 'update: takes spec.suspend', change: { spec: { suspend: true } } },
  ],
);

testCells([
  {
    name: 'shows * * * * *, Etc/UTC, True',
    object: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      spec: {
        schedule: '* * * * *',
        timeZone: 'Etc/UTC',
        suspend: true,
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'x' }] } } } },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['x', '* * * * *', 'Etc/UTC', 'True', 0, '<none>', '27h', 'a', 'x', '<none>'],
  },
  {
    name: 'shows * * * * *, Etc/UTC, True',
    object: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      spec: {
        schedule: '* * * * *',
        timeZone: 'Etc/UTC',
        suspend: true,
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'x' }] } } } },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        active: [{ kind: 'Job', name: 'x', namespace: 'kinds', apiVersion: 'batch/v1' }],
        lastScheduleTime: '2025-12-23T01:00:00Z',
      },
    },
    cells: ['x', '* * * * *', 'Etc/UTC', 'True', 1, '10d', '27h', 'a', 'x', '<none>'],
  },
]);
