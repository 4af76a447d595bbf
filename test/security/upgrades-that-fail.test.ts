/**
 * Who asks for an upgrade and is refused by the kubelet has no connection to it: what he sends afterwards reaches nobody.
 * Mechanisms: CVE-2018-1002105, where the server’s own connection stayed open to the client; and redirects of the kubelet
 * that the server would follow (CVE-2020-8559, CVE-2022-3172).
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type ProxiedNetwork, request, startProxiedNetwork, upgradeHeaders } from '../kit/proxied-network.ts';

const kubelet = '10.0.0.1:10250';
const second = 'GET /runningpods/ HTTP/1.1\r\nHost: kubelet\r\n\r\n';

/** A kubelet that keeps the connection open after its answer, as upstream’s does. */
const answers: Readonly<Record<string, string>> = {
  exec: 'HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found',
  attach: 'HTTP/1.1 302 Found\r\nLocation: https://10.0.0.2:10250/exec/\r\nContent-Length: 0\r\n\r\n',
  portForward: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  containerLogs: 'HTTP/1.1 307 Temporary Redirect\r\nLocation: https://10.0.0.2:10250/runningpods/\r\nContent-Length: 0\r\n\r\n',
  pods: 'HTTP/1.1 302 Found\r\nLocation: https://10.0.0.2:10250/runningpods/\r\nContent-Length: 0\r\n\r\n',
};

const keepOpen = (socket: Socket): void =>
  void socket.on('data', (chunk) => {
    const area = /^\w+ \/(\w+)/.exec(chunk.toString('latin1'))?.[1] ?? '';
    socket.write(answers[area] ?? 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret');
  });

describe('upgrades that fail', () => {
  let network: ProxiedNetwork;
  before(async () => {
    network = await startProxiedNetwork();
    for (const address of ['10.0.0.1', '10.0.0.2'])
      await network.place(`${address}:10250`, keepOpen, await network.servingOf('node', address));
    await network.node('node', [{ type: 'InternalIP', address: '10.0.0.1' }]);
    await network.pod('web', { ip: '10.0.0.5', node: 'node' });
  });
  after(() => network[Symbol.asyncDispose]());

  const pod = '/api/v1/namespaces/default/pods/web';
  const rows = [
    { path: `${pod}/exec?command=id&stdout=1`, want: /^HTTP\/1.1 404 / },
    { path: `${pod}/attach?stdout=1`, want: /^HTTP\/1.1 500 .*invalid upgrade response: status code 302/s },
    { path: `${pod}/portforward?ports=80`, want: /^HTTP\/1.1 500 .*invalid upgrade response: status code 200/s },
    { path: '/api/v1/nodes/node/proxy/exec/default/web/main?command=id&output=1', want: /^HTTP\/1.1 404 / },
  ];
  for (const { path, want } of rows) {
    it(path, async () => {
      const before = network.received(kubelet).length;
      const said = await network.say(request(path, { headers: upgradeHeaders }) + second);
      assert.match(said, want);
      assert.doesNotMatch(said, /secret/);
      assert.doesNotMatch(network.received(kubelet).slice(before), /runningpods/);
    });
  }

  it('redirects of the kubelet are followed by nobody', async () => {
    const logs = await network.say(request(`${pod}/log`));
    assert.match(logs, /^HTTP\/1.1 500 .*redirects forbidden/s);
    assert.match(await network.say(request('/api/v1/nodes/node/proxy/pods')), /^HTTP\/1.1 302 .*location: https:\/\/10.0.0.2:10250\//is);
    assert.ok(!network.dialled.includes('10.0.0.2:10250'));
  });
});
