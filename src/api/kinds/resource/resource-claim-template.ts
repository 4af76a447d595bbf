/** ResourceClaimTemplate: nothing of it can be changed. Upstream: pkg/apis/resource/validation/validation.go. */
import { ResourceClaimTemplate, ResourceClaimTemplateV1beta1, ResourceClaimTemplateV1beta2 } from '../../generated/kinds.ts';
import type { KindHooks, VersionConversion } from '../../meta/kind.ts';
import type { KindRef } from '../../meta/object.ts';
import { nameAndAge } from '../cells.ts';
import { checkImmutable, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { change } from '../set-defaults.ts';
import { claimTemplateConversion, inStoredForm } from './conversion.ts';
import { checkDeviceClaim, defaultClaim } from './request-checks.ts';

type Template = ResourceClaimTemplate;

const hooks: KindHooks<Template> = {
  default: (object) => change(object, 'spec', (spec) => change(spec, 'spec', defaultClaim)),
  validate({ spec }, old) {
    const errors: Errors = [];
    if (old) checkImmutable(errors, 'spec', spec, old.spec);
    else checkDeviceClaim(errors, 'spec.spec.devices', spec.spec?.devices);
    return errors;
  },
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
