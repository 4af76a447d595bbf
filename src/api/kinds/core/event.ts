/**
 * Event as `v1` has it, the form that is stored, and the checks that it shares with `events.k8s.io/v1` (../events/event.ts).
 * Upstream: pkg/apis/core/validation/events.go, pkg/apis/events/v1/conversion.go.
 */
import { Event } from '../../generated/kinds.ts';
import { formatAge } from '../../meta/duration.ts';
import type { Cell } from '../../meta/kind.ts';
import { checkDns1123Subdomain, checkQualifiedName, nameIsPathSegment } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import type { CellContext } from '../cells.ts';
import { addInvalid, type Errors } from '../checks.ts';
import { defineKind, placed } from '../define-kind.ts';

const wordLengthMax = 128;
const messageLengthMax = 1024;

export const event = defineKind(Event, {
  ttlSeconds: 3600,
  validateName: nameIsPathSegment,
  allowCreateOnUpdate: true,
  isCollected: false,
  selectablePaths: {
    ...placed,
    'involvedObject.kind': '',
    'involvedObject.namespace': '',
    'involvedObject.name': '',
    'involvedObject.uid': '',
    'involvedObject.apiVersion': '',
    'involvedObject.resourceVersion': '',
    'involvedObject.fieldPath': '',
    reason: '',
    reportingComponent: '',
    type: '',
  },
  selectableFields: { source: (object) => object.source?.component || (object.reportingComponent ?? '') },
  hooks: { validate: (object) => eventErrors(object, 'reportingComponent'), cells },
});

/** The rules of both forms. `controllerField`: what the form calls the reporting controller. */
export function eventErrors(object: Event, controllerField: string): readonly FieldError[] {
  const errors: Errors = [];
  const { namespace } = object.metadata;
  const about = object.involvedObject.namespace ?? '';
  if (!object.eventTime) {
    const agrees = about ? about === namespace : namespace === 'default';
    if (!agrees) errors.push(fieldErrors.invalid('involvedObject.namespace', about, 'does not match event.namespace'));
  } else {
    if (!about && namespace !== 'default' && namespace !== 'kube-system') {
      errors.push(fieldErrors.invalid('involvedObject.namespace', about, 'does not match event.namespace'));
    }
    checkWords(errors, object, controllerField);
  }
  addInvalid(errors, 'namespace', namespace, checkDns1123Subdomain(namespace));
  return errors;
}

/** What events with a time of the new form have to say. */
function checkWords(errors: Errors, object: Event, controllerField: string): void {
  const controller = object.reportingComponent ?? '';
  if (!controller) errors.push(fieldErrors.required(controllerField));
  addInvalid(errors, controllerField, controller, checkQualifiedName(controller));
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    const text = object[field] ?? '';
    if (!text) errors.push(fieldErrors.required(field));
    if (text.length > wordLengthMax) errors.push(fieldErrors.invalid(field, '', `can have at most ${wordLengthMax} characters`));
  }
  if ((object.message?.length ?? 0) > messageLengthMax) {
    errors.push(fieldErrors.invalid('message', '', `can have at most ${messageLengthMax} characters`));
  }
}

function cells(object: Event, { nowMs }: CellContext): readonly Cell[] {
  const { series, involvedObject: about, source } = object;
  const first = formatAge(object.firstTimestamp ?? object.eventTime, nowMs);
  const last = object.lastTimestamp ? formatAge(object.lastTimestamp, nowMs) : first;
  const kind = (about.kind ?? '').toLowerCase();
  return [
    series ? formatAge(series.lastObservedTime, nowMs) : last,
    object.type ?? '',
    object.reason ?? '',
    about.name ? `${kind}/${about.name}` : kind,
    about.fieldPath ?? '',
    [source?.component || object.reportingComponent, source?.host || object.reportingInstance].filter(Boolean).join(', '),
    (object.message ?? '').trim(),
    first,
    series ? (series.count ?? 0) : object.count || 1,
    object.metadata.name,
  ];
}
