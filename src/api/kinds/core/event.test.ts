/** Event: what is filled in, and what is refused. */
import { testCells, testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in involvedObject.namespace, source and 2 more',
    given: { apiVersion: 'v1', kind: 'Event', involvedObject: { kind: 'Pod', name: 'p', namespace: 'x' }, reason: 'a', message: 'b' },
    has: { 'involvedObject.namespace': 'x', source: {}, reportingComponent: '', reportingInstance: '' },
  },
  {
    name: 'refuses involvedObject.namespace',
    given: { apiVersion: 'v1', kind: 'Event', involvedObject: { kind: 'Pod', name: 'p', namespace: 'foo' } },
    errors: ['involvedObject.namespace: Invalid value: "foo": does not match event.namespace'],
  },
  {
    name: 'refuses involvedObject.namespace and 4 more',
    given: { apiVersion: 'v1', kind: 'Event', involvedObject: { kind: 'Pod', name: 'p' }, eventTime: '2020-01-01T00:00:00.000000Z' },
    errors: [
      'involvedObject.namespace: Invalid value: "": does not match event.namespace',
      'reportingComponent: Required value',
      'reportingComponent: Invalid value: "": name part must be non-empty',
      "reportingComponent: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'reportingInstance: Required value',
      'action: Required value',
      'reason: Required value',
    ],
  },
]);

testCells([
  {
    name: 'shows Normal, Started, pod/a',
    object: {
      apiVersion: 'v1',
      kind: 'Event',
      involvedObject: { kind: 'Pod', namespace: 'kinds', name: 'a', fieldPath: 'spec.containers{a}' },
      type: 'Normal',
      reason: 'Started',
      message: ' hello ',
      source: { component: 'kubelet', host: 'n' },
      firstTimestamp: '2025-12-23T01:00:00Z',
      lastTimestamp: '2025-12-23T02:00:00Z',
      count: 4,
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['10d', 'Normal', 'Started', 'pod/a', 'spec.containers{a}', 'kubelet, n', 'hello', '10d', 4, 'x'],
  },
  {
    name: 'shows Warning, y, pod/a',
    object: {
      apiVersion: 'v1',
      kind: 'Event',
      involvedObject: { kind: 'Pod', namespace: 'kinds', name: 'a' },
      series: { count: 6, lastObservedTime: '2025-12-23T02:00:00.000000Z' },
      eventTime: '2025-12-23T01:00:00.000000Z',
      reportingComponent: 'a',
      reportingInstance: 'b',
      action: 'x',
      reason: 'y',
      type: 'Warning',
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['10d', 'Warning', 'y', 'pod/a', '', 'a, b', '', '10d', 6, 'x'],
  },
]);
