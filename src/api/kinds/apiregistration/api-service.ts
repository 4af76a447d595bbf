/** APIService: who serves a group in a version. Upstream: kube-aggregator/pkg/apis/apiregistration/validation, pkg/registry/apiservice. */
import type { APIServiceCondition, APIServiceSpec, APIServiceStatus, ServiceReference } from '../../generated/apiregistration-v1.ts';
import { APIService } from '../../generated/kinds.ts';
import { findCondition } from '../../meta/conditions.ts';
import type { WriteContext } from '../../meta/kind.ts';
import { checkDns1035Label, checkPathSegment } from '../../meta/names.ts';
import { formatTime } from '../../meta/time.ts';
import { all, countedAs, demanded, each, fields, filled, format, range, refuse, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { statusAlone } from '../keep-metadata.ts';
import { dnsSubdomain } from '../shared-rules.ts';
import { servicePort } from '../webhook-checks.ts';

const groupPriorityMax = 20_000;
const versionPriorityMax = 1000;

const priority = (most: number): Rule<number> => countedAs(0, range(1, most, `must be positive and less than ${most}`));

const notInsecure = (message: string): Rule<boolean> => refuse((insecure) => insecure, message);
const elsewhere = fields<APIServiceSpec>({
  service: fields<ServiceReference>({ namespace: required(), name: required(), port: servicePort }),
});
const here = fields<APIServiceSpec>({
  caBundle: (bundle, walk) => {
    const size = Buffer.from(bundle, 'base64').length;
    if (size) walk.invalid('', `${size} bytes`, 'local APIServices may not have a caBundle');
  },
  insecureSkipTLSVerify: notInsecure('local APIServices may not have insecureSkipTLSVerify'),
});
const unbundled = fields<APIServiceSpec>({ insecureSkipTLSVerify: notInsecure('may not be true if caBundle is present') });

const specRule = all<APIServiceSpec>(
  ({ group, version }, walk) => {
    if (!group && version !== 'v1') walk.required('group', 'only v1 may have an empty group and it better be legacy kube');
  },
  fields({
    group: filled(dnsSubdomain),
    version: countedAs('', format(checkDns1035Label)),
    groupPriorityMinimum: priority(groupPriorityMax),
    versionPriority: priority(versionPriorityMax),
  }),
  (spec, walk) => {
    (spec.service ? elsewhere : here)(spec, walk, undefined);
    if (spec.service && spec.caBundle) unbundled(spec, walk, undefined);
  },
);

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
    rules: fields({ spec: specRule }),
    statusRules: fields({
      status: fields<APIServiceStatus>({ conditions: each(fields<APIServiceCondition>({ status: demanded('True', 'False', 'Unknown') })) }),
    }),
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
