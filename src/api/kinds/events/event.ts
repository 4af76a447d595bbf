/**
 * The newer form of Event, which is stored in the older one; what is written through it has to be complete.
 * Upstream: pkg/apis/core/validation/events.go.
 */
import type { EventSeries } from '../../generated/core-v1.ts';
import { type Event, EventInEvents } from '../../generated/kinds.ts';
import type { VersionConversion } from '../../meta/kind.ts';
import { all, fields, immutable, onCreate, ratcheted } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { event, eventRule } from '../core/event.ts';
import { defineKind, placed } from '../define-kind.ts';
import { isEmptyObject } from '../lists.ts';
import { eventConversion } from './conversion.ts';

const toOlder = (object: EventInEvents): Event => eventConversion.toStorage(object) as Event;

const isUnset = (value: unknown): boolean => !value || (typeof value === 'object' && isEmptyObject(value));

const series: Rule<EventSeries> = ({ count = 0, lastObservedTime }, walk) => {
  if (count < 2) walk.invalid('count', '', 'should be at least 2');
  if (!lastObservedTime) walk.required('lastObservedTime');
};

const created: Rule<Event> = (object, walk) => {
  const { type = '' } = object;
  if (!object.eventTime) walk.required('eventTime');
  if (type !== 'Normal' && type !== 'Warning') walk.invalid('type', '', `has invalid value: ${type}`);
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count', 'source'] as const) {
    if (!isUnset(object[field])) walk.invalid(field, '', 'needs to be unset');
  }
};

/** All but metadata and the series, in upstream's order. */
const lastingFields = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
] as const;
const lasting = fields<Event>(Object.fromEntries(lastingFields.map((field) => [field, immutable()])));
const renamed = fields<Pick<EventInEvents, 'reportingController' | 'reportingInstance'>>({
  reportingController: immutable(),
  reportingInstance: immutable(),
});
const reporter = ({ reportingComponent, reportingInstance }: Event): Parameters<typeof renamed>[0] => ({
  ...(reportingComponent !== undefined && { reportingController: reportingComponent }),
  ...(reportingInstance !== undefined && { reportingInstance }),
});

const rules = all<Event>(
  eventRule('reportingController'),
  fields({ series: ratcheted(series) }),
  onCreate(created),
  lasting,
  (object, walk, old) => old && renamed(reporter(object), walk, reporter(old)),
);

export const eventInEvents = defineKind(EventInEvents, {
  storageVersion: { group: '', version: 'v1' },
  convert: eventConversion as VersionConversion<EventInEvents>,
  ttlSeconds: 3600,
  allowCreateOnUpdate: true,
  isCollected: false,
  selectablePaths: {
    ...placed,
    'regarding.kind': '',
    'regarding.namespace': '',
    'regarding.name': '',
    'regarding.uid': '',
    'regarding.apiVersion': '',
    'regarding.resourceVersion': '',
    'regarding.fieldPath': '',
    reason: '',
    reportingController: '',
    type: '',
  },
  hooks: {
    rules: (object, walk, old) => rules(toOlder(object), walk, old && toOlder(old)),
    cells: (object, at) => event.hooks.cells?.(toOlder(object), at) ?? [],
  },
});
