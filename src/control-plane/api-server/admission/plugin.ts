/**
 * One admission plugin. `handles` is asked once per kind, operation and subresource, and the answer is kept, so a
 * plugin that is not concerned costs nothing; one with a `revision` is asked again when that has changed. `admit` may return another object; `validate` may throw a StatusError.
 * The order of the plugins is written in plugins.ts.
 */
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { AdmissionOperation, AdmissionRequest } from '../request/request.ts';

export interface AdmissionPlugin {
  readonly name: string;
  revision?(): number;
  handles(kind: Kind, operation: AdmissionOperation, subresource: string | undefined): boolean;
  admit?(request: AdmissionRequest): KubeObject | undefined | Promise<KubeObject | undefined>;
  validate?(request: AdmissionRequest): void | Promise<void>;
}
