/** ResourceClaimTemplate: nothing of it can be changed. Upstream: pkg/apis/resource/validation/validation.go. */
import { ResourceClaimTemplate, ResourceClaimTemplateV1beta1, ResourceClaimTemplateV1beta2 } from '../../generated/kinds.ts';
import type { KindHooks, VersionConversion } from '../../meta/kind.ts';
import type { KindRef } from '../../meta/object.ts';
import { all, fields, immutable, onCreate } from '../../schema/rules/rules.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { change } from '../set-defaults.ts';
import { claimTemplateConversion, inStoredForm } from './conversion.ts';
import { defaultClaim, deviceClaim } from './request-checks.ts';

type Template = ResourceClaimTemplate;

const hooks: KindHooks<Template> = {
  default: (object) => change(object, 'spec', (spec) => change(spec, 'spec', defaultClaim)),
  rules: fields({ spec: all(immutable(), onCreate(fields({ spec: fields({ devices: deviceClaim }) }))) }),
  cells: nameAndAge(() => []),
};

const strategy = { returnsDeletedObject: true };

export const resourceClaimTemplate = defineKind(ResourceClaimTemplate, { ...strategy, hooks });
export const resourceClaimTemplateV1beta2 = defineKind<Template>(ResourceClaimTemplateV1beta2 as KindRef as KindRef<Template>, {
  ...strategy,
  hooks,
});
export const resourceClaimTemplateV1beta1 = defineKind<Template>(ResourceClaimTemplateV1beta1 as KindRef as KindRef<Template>, {
  ...strategy,
  convert: claimTemplateConversion as VersionConversion<Template>,
  hooks: inStoredForm(hooks, claimTemplateConversion),
});
