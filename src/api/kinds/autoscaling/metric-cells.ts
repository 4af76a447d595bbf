/** What an autoscaler aims at and where it is, as one cell. Upstream: formatHPAMetrics in pkg/printers/internalversion/printers.go. */
import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../../generated/autoscaling-v2.ts';

const shownMax = 2;

export function metricsText(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (!specs.length) return '<none>';
  const texts = specs.slice(0, shownMax).map((spec, i) => metricText(spec, statuses[i]));
  const more = specs.length - shownMax;
  return more > 0 ? `${texts.join(', ')} + ${more} more...` : texts.join(', ');
}

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case 'External':
      return spec.external ? amountText(spec.external.target, status?.external?.current) : '';
    case 'Object':
      return spec.object ? amountText(spec.object.target, status?.object?.current) : '';
    case 'Pods':
      return `${status?.pods?.current.averageValue ?? '<unknown>'}/${spec.pods?.target.averageValue ?? '0'}`;
    case 'Resource':
      return spec.resource ? `${spec.resource.name}: ${usageText(spec.resource.target, status?.resource?.current)}` : '';
    case 'ContainerResource': {
      const own = spec.containerResource;
      return own ? `${own.name}: ${usageText(own.target, status?.containerResource?.current)}` : '';
    }
    default:
      return '<unknown type>';
  }
}

function amountText(target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`;
  return `${current ? (current.value ?? '<nil>') : '<unknown>'}/${target.value ?? '<nil>'}`;
}

function usageText(target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) {
    return `${current ? (current.averageValue ?? '<nil>') : '<unknown>'}/${target.averageValue}`;
  }
  const percent = (value: number | undefined, absent: string): string => (value === undefined ? absent : `${value}%`);
  return `${percent(current?.averageUtilization, '<unknown>')}/${percent(target.averageUtilization, '<auto>')}`;
}
