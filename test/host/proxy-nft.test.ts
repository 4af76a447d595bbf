/** The proxy's rulesets in a real kernel: nft takes them whole and as differences. In a network namespace of its own. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { emptyRuleset, renderDifference, renderWhole } from '../../src/node/nft/ruleset.ts';
import { planRuleset, servicesTable } from '../../src/node/proxy/ruleset.ts';
import type { ServicePort } from '../../src/node/proxy/service-ports.ts';

const why = process.platform !== 'linux' ? 'needs Linux' : process.getuid?.() !== 0 ? 'needs root' : false;

/** A namespace that lives as long as the child that holds it. */
async function holdNamespace(): Promise<{ nft(script: string): string; end(): void }> {
  const child = spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const pid = String(child.pid);
  return {
    nft: (script) => execFileSync('nsenter', ['-t', pid, '-n', 'nft', '-f', '-'], { input: script, encoding: 'utf8' }),
    end: () => child.stdin.end(),
  };
}

const table = servicesTable({ name: 'timonier-test', podCidr: '10.244.0.0/16' });
const port = (i: number, change: Partial<ServicePort> = {}): ServicePort => ({
  id: `default/svc-${i}:http/TCP`,
  protocol: 'tcp',
  clusterIP: `10.96.${i >> 8}.${i & 255}`,
  port: 80,
  nodePort: i % 10 === 0 ? 30_000 + i : 0,
  externalIPs: [],
  affinitySeconds: i % 7 === 0 ? 10_800 : 0,
  internalPolicy: 'Cluster',
  externalPolicy: 'Cluster',
  clusterEndpoints: [1, 2, 3].map((n) => ({ ip: `10.244.${n}.${i & 255}`, port: 8080 })),
  localEndpoints: [],
  ...change,
});

test('a thousand services, then differences', { skip: why }, async (t) => {
  const namespace = await holdNamespace();
  t.after(() => namespace.end());
  const ports = Array.from({ length: 1000 }, (_, i) => port(i));
  const full = planRuleset(ports);
  namespace.nft(renderWhole(table, full));

  const changed = planRuleset(
    ports.flatMap((p, i) => {
      if (i === 0) return [];
      if (i === 1) return [port(1, { clusterEndpoints: [] })];
      if (i === 7) return [port(7, { affinitySeconds: 60 })];
      if (i === 20) return [port(20, { externalPolicy: 'Local', internalPolicy: 'Local' })];
      return i === 30
        ? [port(30, { externalIPs: ['192.0.2.1'], guarded: { ips: ['192.0.2.1'], ranges: ['198.51.100.0/24'] } }), port(2000)]
        : [p];
    }),
  );
  const start = performance.now();
  namespace.nft(renderDifference(table, full, changed));
  const differenceMs = performance.now() - start;
  assert.ok(differenceMs < 1000, `a difference took ${differenceMs} ms`);

  assert.equal(renderDifference(table, changed, changed), '');
  namespace.nft(renderDifference(table, changed, full));
  namespace.nft(renderDifference(table, full, emptyRuleset));
  namespace.nft('delete table ip timonier-test\n');
});
