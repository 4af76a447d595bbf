/** APIService: who serves a group in a version. Upstream: kube-aggregator/pkg/apis/apiregistration/validation, pkg/registry/apiservice. */
import { APIService } from '../../generated/kinds.ts';
import { findCondition } from '../../meta/conditions.ts';
import type { WriteContext } from '../../meta/kind.ts';
import { checkDns1035Label, checkDns1123Subdomain, checkPathSegment, checkPortNumber } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { formatTime } from '../../meta/time.ts';
import { nameAndAge } from '../cells.ts';
import { addInvalid, checkPresent, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { statusAlone } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';

const groupPriorityMax = 20_000;
const versionPriorityMax = 1000;
const statuses = ['True', 'False', 'Unknown'];

export const apiService = defineKind(APIService, {
  storagePrefix: 'apiregistration.k8s.io/apiservices',
  allowUnconditionalUpdate: false,
  resetFields: statusAlone,
  validateName,
  hooks: {
    prepareForCreate: (object, by) => ({ ...object, status: object.spec.service ? {} : { conditions: [localCondition(by)] } }),
    prepareForStatusUpdate(object, old) {
      const { labels, annotations, finalizers, ownerReferences } = old.metadata;
      const { labels: _l, annotations: _a, finalizers: _f, ownerReferences: _o, ...rest } = object.metadata;
      const kept = {
        ...(labels && { labels }),
        ...(annotations && { annotations }),
        ...(finalizers && { finalizers }),
        ...(ownerReferences && { ownerReferences }),
      };
      return { ...object, metadata: { ...rest, ...kept } };
    },
    validate,
    validateStatus({ status }) {
      const errors: Errors = [];
      listOf(status.conditions).forEach((condition, i) => {
        const value = condition.status;
        if (!statuses.includes(value)) errors.push(fieldErrors.notSupported(`status.conditions[${i}].status`, value, statuses));
      });
      return errors;
    },
    cells: nameAndAge(({ spec: { service }, status }) => [
      service ? `${service.namespace ?? ''}/${service.name ?? ''}` : 'Local',
      availability(findCondition(status.conditions, 'Available')),
    ]),
  },
});

/** What this server serves itself is there at once. */
const localCondition = (by: WriteContext | undefined): NonNullable<APIService['status']['conditions']>[number] => ({
  type: 'Available',
  status: 'True',
  ...(by && { lastTransitionTime: formatTime(by.nowMs) }),
  reason: 'Local',
  message: 'Local APIServices are always available',
});

function availability(condition: { readonly status: string; readonly reason?: string } | undefined): string {
  const { status = 'Unknown', reason } = condition ?? {};
  return status !== 'True' && reason ? `${status} (${reason})` : status;
}

function validateName(name: string, prefix: boolean, { spec: { version = '', group = '' } }: APIService): readonly string[] {
  const problems = checkPathSegment(name, prefix);
  const required = `${version}.${group}`;
  return problems.length || name === required ? problems : [`must be \`spec.version+"."+spec.group\`: "${required}"`];
}

function validate({ spec }: APIService): readonly FieldError[] {
  const errors: Errors = [];
  const { group = '', version = '', service, caBundle, insecureSkipTLSVerify: insecure } = spec;
  if (group) addInvalid(errors, 'spec.group', group, checkDns1123Subdomain(group));
  else if (version !== 'v1') {
    errors.push(fieldErrors.required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  }
  addInvalid(errors, 'spec.version', version, checkDns1035Label(version));
  checkPriority(errors, 'spec.groupPriorityMinimum', spec.groupPriorityMinimum, groupPriorityMax);
  checkPriority(errors, 'spec.versionPriority', spec.versionPriority, versionPriorityMax);
  const refuseInsecure = (message: string): void => void errors.push(fieldErrors.invalid('spec.insecureSkipTLSVerify', true, message));
  if (!service) {
    const size = Buffer.from(caBundle ?? '', 'base64').length;
    if (size) errors.push(fieldErrors.invalid('spec.caBundle', `${size} bytes`, 'local APIServices may not have a caBundle'));
    if (insecure) refuseInsecure('local APIServices may not have insecureSkipTLSVerify');
    return errors;
  }
  checkPresent(errors, 'spec.service.namespace', service.namespace);
  checkPresent(errors, 'spec.service.name', service.name);
  const port = service.port ?? 0;
  const messages = checkPortNumber(port);
  if (messages.length) errors.push(fieldErrors.invalid('spec.service.port', port, `port is not valid: ${messages.join(', ')}`));
  if (insecure && caBundle) refuseInsecure('may not be true if caBundle is present');
  return errors;
}

function checkPriority(errors: Errors, path: string, value: number | undefined, max: number): void {
  const given = value ?? 0;
  if (given <= 0 || given > max) errors.push(fieldErrors.invalid(path, given, `must be positive and less than ${max}`));
}
