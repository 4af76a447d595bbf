/** Rules of probes and lifecycle hooks. Upstream: pkg/apis/core/validation/validation.go. */

import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe, SleepAction } from '../../../generated/core-v1.ts';
import { checkHttpHeaderName } from '../../../meta/names.ts';
import { all, demanded, each, fields, format, min, nonNegative, outside, required } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { demandedPort } from '../../shared-rules.ts';
import { contextOf } from './context.ts';

const headerName = format(checkHttpHeaderName);

const httpGet = fields<HTTPGetAction>({
  path: required(),
  port: demandedPort,
  scheme: demanded('HTTP', 'HTTPS'),
  httpHeaders: each(outside(({ name }, walk) => headerName(name, walk, undefined))),
});

const sleep: Rule<SleepAction> = ({ seconds = 0 }, walk) => {
  const grace = contextOf(walk).spec.terminationGracePeriodSeconds;
  if (grace === undefined || (seconds >= 0 && seconds <= grace)) return;
  walk.invalid('', seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`);
};

const toPort = fields<{ readonly port: number | string }>({ port: demandedPort });
const handlers = { exec: fields({ command: required() }), httpGet, tcpSocket: toPort, grpc: toPort, sleep } as const;
const handlerFields = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

const handler: Rule<LifecycleHandler & Pick<Probe, 'grpc'>> = (given, walk) => {
  const [first, ...more] = handlerFields.filter((field) => given[field]);
  if (!first) return walk.required('', 'must specify a handler type');
  walk.check(first, given[first] as never, handlers[first] as Rule<never>);
  for (const field of more) walk.forbidden(field, 'may not specify more than 1 handler type');
};

const counts = fields<Probe>({
  initialDelaySeconds: nonNegative,
  timeoutSeconds: nonNegative,
  periodSeconds: nonNegative,
  successThreshold: nonNegative,
  failureThreshold: nonNegative,
  terminationGracePeriodSeconds: min(1, 'must be greater than 0'),
});

/** One that says whether to go on, not whether to send traffic: it has succeeded when it has succeeded once. */
export const livenessProbe = all<Probe>(handler, counts, ({ successThreshold = 0 }, walk) => {
  if (successThreshold !== 1) walk.invalid('successThreshold', successThreshold, 'must be 1');
});

export const readinessProbe = all<Probe>(handler, counts, ({ terminationGracePeriodSeconds: grace }, walk) => {
  if (grace !== undefined) walk.invalid('terminationGracePeriodSeconds', grace, 'must not be set for readinessProbes');
});

export const lifecycle = fields<Lifecycle>({ postStart: handler, preStop: handler });
