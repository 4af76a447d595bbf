import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthMetrics, probeMetrics, renderMetrics } from './metrics.ts';

test('/metrics/probes: how each probe was answered', () => {
  const labels = { probe_type: 'Liveness', container: 'main', pod: 'a', namespace: 'n', pod_uid: 'u', result: 'failed' };
  const lines = renderMetrics(probeMetrics([{ labels, count: 3 }])).split('\n');
  assert.equal(lines[2], 'prober_probe_total{probe_type="Liveness",container="main",pod="a",namespace="n",pod_uid="u",result="failed"} 3');
  assert.equal(renderMetrics(probeMetrics([])), '');
});

test('/metrics/slis: the own health, when somebody asked for it', () => {
  assert.equal(renderMetrics(healthMetrics(0)), '');
  const lines = renderMetrics(healthMetrics(2)).split('\n');
  assert.equal(lines[2], 'kubernetes_healthcheck{name="ping",type="healthz"} 1');
  assert.equal(lines[5], 'kubernetes_healthchecks_total{name="ping",type="healthz",status="success"} 2');
});
