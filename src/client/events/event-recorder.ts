/**
 * Tells the cluster what happened to an object, as a core/v1 Event that `kubectl describe` shows. Recording never
 * fails the caller: events are queued (bounded), repeated ones are counted on one Event, and what can't be written is
 * logged and dropped. Upstream: client-go/tools/events and tools/record.
 */
import type { KubeObject } from '../../api/meta/object.ts';

export interface EventRecorder {
  /** `reason` is UpperCamelCase, `message` is for people; `fieldPath` says which part: `spec.containers{web}`. */
  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string): void;
}
