/** Event: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in regarding.namespace, deprecatedSource',
    given: {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      regarding: { namespace: 'x' },
      eventTime: '2020-01-01T00:00:00.000000Z',
      reportingController: 'a',
      reportingInstance: 'b',
      action: 'c',
      reason: 'd',
      type: 'Normal',
      note: 'foo',
    },
    has: { 'regarding.namespace': 'x', deprecatedSource: {} },
  },
  {
    name: 'refuses involvedObject.namespace and 8 more',
    given: {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      deprecatedCount: 5,
      deprecatedSource: { component: 'x' },
      deprecatedFirstTimestamp: '2020-01-01T00:00:00Z',
      deprecatedLastTimestamp: '2020-01-01T00:00:00Z',
      series: { count: 1 },
    },
    errors: [
      'involvedObject.namespace: Invalid value: "": does not match event.namespace',
      'series.count: Invalid value: "": should be at least 2',
      'series.lastObservedTime: Required value',
      'eventTime: Required value',
      'type: Invalid value: "": has invalid value: ',
      'firstTimestamp: Invalid value: "": needs to be unset',
      'lastTimestamp: Invalid value: "": needs to be unset',
      'count: Invalid value: "": needs to be unset',
      'source: Invalid value: "": needs to be unset',
    ],
  },
  {
    name: 'refuses involvedObject.namespace and 5 more',
    given: { apiVersion: 'events.k8s.io/v1', kind: 'Event', eventTime: '2020-01-01T00:00:00.000000Z', type: 'Foo' },
    errors: [
      'involvedObject.namespace: Invalid value: "": does not match event.namespace',
      'reportingController: Required value',
      'reportingController: Invalid value: "": name part must be non-empty',
      "reportingController: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'reportingInstance: Required value',
      'action: Required value',
      'reason: Required value',
      'type: Invalid value: "": has invalid value: Foo',
    ],
  },
]);
