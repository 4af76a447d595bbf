/** What a log at the level `debug` says of a pod on its way: each component where a newcomer would look for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deployment } from '../../api/generated/kinds.ts';
import type { Log } from '../../client/log.ts';
import { startCluster } from '../start-cluster.ts';

type Line = Readonly<Record<string, unknown>> & { readonly msg: string };

function collect(lines: Line[], isDebug: boolean, bound: object = {}): Log {
  const nothing = (): void => undefined;
  return {
    isDebug,
    debug: (fields, msg) => lines.push({ ...bound, ...fields, msg }),
    info: nothing,
    warn: nothing,
    error: nothing,
    child: (fields) => collect(lines, isDebug, { ...bound, ...fields }),
  };
}

const selector = { matchLabels: { app: 'shown' } };
const template = { metadata: { labels: selector.matchLabels }, spec: { containers: [{ name: 'main', image: 'busybox' }] } };

async function linesOfADeployment(isDebug: boolean): Promise<Line[]> {
  const lines: Line[] = [];
  await using cluster = await startCluster({ nodes: 0, simulated: 1, log: collect(lines, isDebug) });
  const done = Promise.withResolvers<void>();
  using _watching = cluster.client.informer(Deployment).on({
    added: () => undefined,
    updated: ({ status }) => status.availableReplicas && done.resolve(),
    deleted: () => undefined,
  });
  await cluster.client.create(Deployment, {
    metadata: { name: 'shown', namespace: 'default' },
    spec: { replicas: 1, selector, template },
  });
  await done.promise;
  return lines;
}

const wanted: readonly { readonly name: string; readonly line: Readonly<Record<string, unknown>> }[] = [
  {
    name: 'a request of a user',
    line: {
      component: 'api-server',
      user: 'kubernetes-admin',
      code: 201,
      msg: /^create \/apis\/apps\/v1\/namespaces\/default\/deployments$/,
    },
  },
  {
    name: 'a request of a component',
    line: { component: 'api-server', user: 'system:kube-scheduler', msg: /^create \/api\/v1\/.*\/binding$/ },
  },
  { name: 'a reconcile', line: { controller: 'deployment-controller', key: 'default/shown', result: 'success', msg: /^reconciled$/ } },
  { name: 'a decision', line: { component: 'scheduler', pod: /^default\/shown-/, node: /simulated-1$/, msg: /^a node was chosen$/ } },
  { name: 'an act of the kubelet', line: { node: /simulated-1$/, pod: /^default\/shown-/, container: 'main', msg: /^start a container$/ } },
];

test('debug lines tell a deployment’s way', async () => {
  const lines = await linesOfADeployment(true);
  const fits = (line: Line, [key, want]: readonly [string, unknown]): boolean =>
    want instanceof RegExp ? want.test(String(line[key])) : line[key] === want;
  for (const { name, line } of wanted)
    assert.ok(
      lines.some((each) => Object.entries(line).every((pair) => fits(each, pair))),
      name,
    );
});

test('none of them is made where nobody wants them', async () => {
  const lines = await linesOfADeployment(false);
  const messages = lines
    .map(({ msg }) => msg)
    .filter((msg) => /^(create|get|list|watch|patch|update) \/|reconciled|a node was chosen|start a container/.test(msg));
  assert.deepEqual(messages, []);
});
