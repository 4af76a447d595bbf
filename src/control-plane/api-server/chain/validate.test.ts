import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import { ValidationFault, validateObject } from '../../../api/kinds/validate-object.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { takeSteps } from '../../../api/meta/steps.ts';
import { FlowControl } from './flow-control.ts';
import { RequestMetrics } from './request-metrics.ts';

const configMaps = builtInRegistry().current.byResource('', 'v1', 'configmaps');

test('a rule that breaks is told apart from one that refuses', () => {
  const judge = (validate: () => never) => () =>
    takeSteps(
      validateObject(
        { ...configMaps, hooks: { validate } } as Kind,
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} } as KubeObject,
        undefined,
      ),
    );
  assert.throws(
    judge(() => {
      throw new TypeError('no metadata');
    }),
    (error) => error instanceof ValidationFault && error.message === 'no metadata' && error.cause instanceof TypeError,
  );
  assert.throws(
    judge(() => {
      throw errors.badRequest('no');
    }),
    { name: 'StatusError' },
  );
});

test('the metrics that must never count', async () => {
  const registry = new Registry();
  const metrics = new RequestMetrics();
  metrics.register(registry, new FlowControl());
  const shown = async () => (await registry.metrics()).match(/^apiserver_validation_declarative_validation_(mismatch|panic)_total.*$/gm);
  const name = 'apiserver_validation_declarative_validation';
  assert.deepEqual(await shown(), [`${name}_mismatch_total 0`, `${name}_panic_total 0`]);
  metrics.validationBroke();
  assert.deepEqual(await shown(), [`${name}_mismatch_total 0`, `${name}_panic_total 1`]);
});
