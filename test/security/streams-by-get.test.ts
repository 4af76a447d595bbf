/**
 * Who may read what a kubelet tells may not run commands by it: a WebSocket is asked for by a GET, and `/run` is no GET at
 * all. Mechanism: `get nodes/proxy` is enough to exec (k/k#83465).
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { ClusterRole, ClusterRoleBinding, Pod } from '../../src/api/generated/kinds.ts';
import { accessOf, parseKubeconfig } from '../../src/client/files/kubeconfig.ts';
import { type Cluster, startCluster } from '../../src/index.ts';
import { parseAnswer, request, upgradeHeaders } from '../kit/proxied-network.ts';

describe('streams by GET', () => {
  let cluster: Cluster;
  let access: Awaited<ReturnType<typeof accessOf>>;
  before(async () => {
    cluster = await startCluster({ simulated: 1 });
    access = await accessOf(await parseKubeconfig(cluster.kubeconfig));
    const containers = [{ name: 'main', image: 'busybox' }];
    await cluster.client.create(Pod, { metadata: { name: 'web', namespace: 'default' }, spec: { containers } });
    for await (const { object } of cluster.client.watch(Pod, { namespace: 'default' }))
      if ((object as Pod).status.phase === 'Running') break;
    await cluster.client.create(ClusterRole, {
      metadata: { name: 'reader' },
      rules: [{ apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] }],
    });
    await cluster.client.create(ClusterRoleBinding, {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'eve' }],
    });
  });
  after(() => cluster[Symbol.asyncDispose]());

  const ask = async (path: string, given: Parameters<typeof request>[1]): Promise<number> => {
    const { hostname, port } = new URL(access.server);
    const { ca, cert, key } = access;
    const socket = connect({
      host: hostname,
      port: Number(port),
      ALPNProtocols: ['http/1.1'],
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
    });
    socket.on('error', () => undefined).write(request(`/api/v1/nodes/default-simulated-1/proxy${path}`, given));
    // An upgrade that succeeds does not end by itself.
    for await (const chunk of socket as AsyncIterable<Buffer>) return parseAnswer(`${chunk.toString('latin1')}\r\n\r\n`).code;
    return 0;
  };
  const asEve = ['Impersonate-User: eve'];
  const exec = '/exec/default/web/main?command=id&output=1';

  for (const { name, path, headers, method, want } of [
    { name: 'eve reads', path: '/pods', headers: asEve, want: 200 },
    { name: 'eve may not exec', path: exec, headers: [...asEve, ...upgradeHeaders], want: 403 },
    { name: 'eve may not run, by GET', path: '/run/default/web/main?cmd=id', headers: asEve, want: 405 },
    { name: 'nor by POST', path: '/run/default/web/main?cmd=id', headers: asEve, method: 'POST', want: 403 },
    {
      name: 'the administrator may exec',
      path: exec,
      headers: [...upgradeHeaders, 'Sec-WebSocket-Protocol: v5.channel.k8s.io'],
      want: 101,
    },
  ])
    it(name, async () => assert.equal(await ask(path, { headers, ...(method && { method }) }), want));
});
