/**
 * Events are stored in the core group's version; events.k8s.io shows the same objects under newer names.
 * Upstream: pkg/apis/events/v1/conversion.go.
 */

import type { Event as CoreEvent } from '../../generated/core-v1.ts';
import type { Event } from '../../generated/events-v1.ts';
import type { VersionConversion } from '../../meta/kind.ts';
import type { KubeObject } from '../../meta/object.ts';
import { own } from '../../meta/words.ts';

/** Field of events.k8s.io to field of core; the others have the same name. */
const renamed = {
  regarding: 'involvedObject',
  note: 'message',
  reportingController: 'reportingComponent',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
} as const satisfies Partial<Record<keyof Event, keyof CoreEvent>>;

const back: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(renamed).map(([a, b]) => [b, a]));
const there: Readonly<Record<string, string>> = renamed;

function rename(object: KubeObject, names: Readonly<Record<string, string>>, apiVersion: string): KubeObject {
  const entries = Object.entries(object).map(([field, value]) => [own(names, field) ?? field, value]);
  return { ...(Object.fromEntries(entries) as KubeObject), apiVersion };
}

/** Core events always say who reports, even if with an empty word; the others leave that out. */
export const eventConversion: VersionConversion = {
  toStorage: (event) => ({ source: {}, reportingComponent: '', reportingInstance: '', ...rename(event, there, 'v1') }),
  fromStorage(stored) {
    const { reportingController, reportingInstance, ...event } = rename(stored, back, 'events.k8s.io/v1') as Event;
    return { ...event, ...(reportingController && { reportingController }), ...(reportingInstance && { reportingInstance }) };
  },
};
