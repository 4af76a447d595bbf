/** ResourceClaimTemplate: nothing of it can be changed. Upstream: pkg/apis/resource/validation/validation.go. */
import { ResourceClaimTemplate, ResourceClaimTemplateV1beta1, ResourceClaimTemplateV1beta2 } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { all, fields, immutable, onCreate } from '../../schema/rules/rules.ts';
import { nameAndAge } from '../cells.ts';
import { defineVersions } from '../define-kind.ts';
import { change } from '../set-defaults.ts';
import { claimTemplateConversion, older } from './conversion.ts';
import { defaultClaim, deviceClaim } from './request-checks.ts';

type Template = ResourceClaimTemplate;

const hooks: KindHooks<Template> = {
  default: (object) => change(object, 'spec', (spec) => change(spec, 'spec', defaultClaim)),
  rules: fields({ spec: all(immutable(), onCreate(fields({ spec: fields({ devices: deviceClaim }) }))) }),
  cells: nameAndAge(() => []),
};

const strategy = { returnsDeletedObject: true, hooks };

export const [resourceClaimTemplate, resourceClaimTemplateV1beta2] = defineVersions(
  [ResourceClaimTemplate, ResourceClaimTemplateV1beta2],
  strategy,
);
export const [resourceClaimTemplateV1beta1] = defineVersions([ResourceClaimTemplateV1beta1], older(strategy, claimTemplateConversion));
