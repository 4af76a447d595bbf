/**
 * Event as `v1` has it, the form that is stored, and the checks that it shares with `events.k8s.io/v1` (../events/event.ts).
 * Upstream: pkg/apis/core/validation/events.go, pkg/apis/events/v1/conversion.go.
 */
import { Event } from '../../generated/kinds.ts';
import { formatAge } from '../../meta/duration.ts';
import type { Cell } from '../../meta/kind.ts';
import { checkDns1123Subdomain, nameIsPathSegment } from '../../meta/names.ts';
import { fields, format, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import type { CellContext } from '../cells.ts';
import { defineKind, placed } from '../define-kind.ts';
import { qualifiedName } from '../shared-rules.ts';

const wordLengthMax = 128;
const messageLengthMax = 1024;

const label = format(checkDns1123Subdomain);

/** Of both forms. `controllerField`: what the form calls the reporting controller. */
export function eventRule(controllerField: string): Rule<Event> {
  return (object, walk) => {
    const { namespace } = object.metadata;
    const about = object.involvedObject.namespace ?? '';
    const agrees = object.eventTime
      ? about || namespace === 'default' || namespace === 'kube-system'
      : about === namespace || (!about && namespace === 'default');
    if (!agrees) walk.invalid('involvedObject.namespace', about, 'does not match event.namespace');
    if (object.eventTime) {
      walk.check(controllerField, object.reportingComponent ?? '', controller);
      complete(object, walk, undefined);
    }
    walk.check('namespace', namespace, label);
  };
}

/** What events with a time of the new form have to say. */
const controller: Rule<string> = (name, walk) => {
  if (!name) walk.required('');
  qualifiedName(name, walk, undefined);
};
const shortText =
  (most: number): Rule<string> =>
  (text, walk) => {
    if (text.length > most) walk.invalid('', '', `can have at most ${most} characters`);
  };
const word = required(shortText(wordLengthMax));
const complete = fields<Event>({ reportingInstance: word, action: word, reason: word, message: shortText(messageLengthMax) });

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
  hooks: { rules: eventRule('reportingComponent'), cells },
});

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
