/**
 * The newer form of Event, which is stored in the older one; what is written through it has to be complete.
 * Upstream: pkg/apis/core/validation/events.go.
 */
import { type Event, EventInEvents } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import type { VersionConversion } from '../../meta/kind.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { checkImmutable, type Errors } from '../checks.ts';
import { event, eventErrors } from '../core/event.ts';
import { defineKind, placed } from '../define-kind.ts';
import { isEmptyObject } from '../lists.ts';
import { eventConversion } from './conversion.ts';

const toOlder = (object: EventInEvents): Event => eventConversion.toStorage(object) as Event;

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
    validate: (object, old) => validate(toOlder(object), old && toOlder(old)),
    cells: (object, at) => event.hooks.cells?.(toOlder(object), at) ?? [],
  },
});

function validate(object: Event, old: Event | undefined): readonly FieldError[] {
  const errors: Errors = [...eventErrors(object, 'reportingController')];
  if (old) {
    if (!equalSemantically(object.series, old.series)) checkSeries(errors, object);
    checkFixed(errors, object, old);
    return errors;
  }
  checkSeries(errors, object);
  if (!object.eventTime) errors.push(fieldErrors.required('eventTime'));
  const { type = '' } = object;
  if (type !== 'Normal' && type !== 'Warning') errors.push(fieldErrors.invalid('type', '', `has invalid value: ${type}`));
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count', 'source'] as const) {
    const value = object[field];
    const unset = typeof value === 'object' ? isEmptyObject(value) : !value;
    if (!unset) errors.push(fieldErrors.invalid(field, '', 'needs to be unset'));
  }
  return errors;
}

function checkSeries(errors: Errors, { series }: Event): void {
  if (!series) return;
  if ((series.count ?? 0) < 2) errors.push(fieldErrors.invalid('series.count', '', 'should be at least 2'));
  if (!series.lastObservedTime) errors.push(fieldErrors.required('series.lastObservedTime'));
}

/** All but metadata and the series, in the order and under the names that upstream has. */
const fixedFields: readonly (readonly [keyof Event, string])[] = [
  ['involvedObject', 'involvedObject'],
  ['reason', 'reason'],
  ['message', 'message'],
  ['source', 'source'],
  ['firstTimestamp', 'firstTimestamp'],
  ['lastTimestamp', 'lastTimestamp'],
  ['count', 'count'],
  ['type', 'type'],
  ['eventTime', 'eventTime'],
  ['action', 'action'],
  ['related', 'related'],
  ['reportingComponent', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
];

function checkFixed(errors: Errors, object: Event, old: Event): void {
  for (const [field, path] of fixedFields) checkImmutable(errors, path, object[field], old[field]);
}
