/** Rules of a HorizontalPodAutoscaler. Upstream: pkg/apis/autoscaling/validation/validation.go. */
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
  MetricSpec,
} from '../../generated/autoscaling-v2.ts';
import { all, demanded, each, fields, max, min, nonNegativeQuantity, oneOf, positive, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { listOf } from '../lists.ts';
import { pathName } from '../shared-rules.ts';
import { metricRule } from './metric-checks.ts';

const windowSecondsMax = 3600;
const periodSecondsMax = 1800;

const named = fields<CrossVersionObjectReference>({ kind: required(pathName), name: required(pathName) });
const isBadVersion = (reference: CrossVersionObjectReference | undefined): boolean => (reference?.apiVersion ?? '').split('/').length > 2;

type GroupRule = 'required' | 'optional' | 'unchecked';
const reference =
  (group: GroupRule): Rule<CrossVersionObjectReference> =>
  (given, walk, old) => {
    named(given, walk, old);
    const { apiVersion = '' } = given;
    if (group === 'unchecked') return;
    if (isBadVersion(given)) walk.invalid('apiVersion', apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
    else if (group === 'required' && !apiVersion.includes('/')) walk.invalid('apiVersion', apiVersion, 'apiVersion must specify API group');
  };

/** What was bad before may stay so. */
function groupOfTarget({ apiVersion, kind }: CrossVersionObjectReference, old: CrossVersionObjectReference | undefined): GroupRule {
  if (old && old.apiVersion === apiVersion && old.kind === kind) return 'unchecked';
  return kind === 'ReplicationController' ? 'optional' : 'required';
}
const target: Rule<CrossVersionObjectReference> = (given, walk, old) => reference(groupOfTarget(given, old))(given, walk, old);

const metrics: Rule<readonly MetricSpec[]> = (list, walk, old) => {
  const wasBad = listOf(old).some(({ type, object: about }) => type === 'Object' && isBadVersion(about?.describedObject));
  each(metricRule(reference(wasBad ? 'unchecked' : 'optional')))(list, walk, old);
};

const replicas: Rule<HorizontalPodAutoscalerSpec> = ({ minReplicas: least, maxReplicas: most = 0 }, walk, old) => {
  walk.check('minReplicas', least, min(old?.minReplicas === 0 ? 0 : 1));
  if (most === 0) walk.required('maxReplicas', 'must be set and greater than 0');
  else walk.check('maxReplicas', most, min(1));
  if (least !== undefined && most < least) walk.invalid('maxReplicas', most, 'must be greater than or equal to `minReplicas`');
};

const periodSeconds = all(positive(), max(periodSecondsMax));
const policy = fields<HPAScalingPolicy>({ type: demanded('Percent', 'Pods'), value: positive(), periodSeconds });
const scaling = fields<HPAScalingRules>({
  stabilizationWindowSeconds: all(min(0, 'must be greater than or equal to zero'), max(windowSecondsMax)),
  selectPolicy: oneOf('Disabled', 'Max', 'Min'),
  policies: required(each(policy), 'must specify at least one Policy'),
  tolerance: nonNegativeQuantity,
});

const spec = all<HorizontalPodAutoscalerSpec>(
  replicas,
  fields({ scaleTargetRef: target, metrics }),
  ({ minReplicas, metrics: given }, walk) => {
    if (minReplicas !== 0 || listOf(given).some(({ type }) => type === 'Object' || type === 'External')) return;
    walk.forbidden('metrics', 'must specify at least one Object or External metric to support scaling to zero replicas');
  },
  fields({ behavior: fields<HorizontalPodAutoscalerBehavior>({ scaleUp: scaling, scaleDown: scaling }) }),
);

export const autoscaler = fields<HorizontalPodAutoscaler>({ spec });
