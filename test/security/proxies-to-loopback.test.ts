/**
 * Proxies lead nowhere that the server alone could reach: not to itself, not to a cloud's metadata, whoever wrote the
 * address, in whatever form, and whatever a name says a moment later. Mechanisms: half-blind SSRF (CVE-2025-13281,
 * CVE-2020-8561), DNS rebinding, confused deputy.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isProxyable } from '../../src/api/meta/addresses.ts';
import { messageOf, type ProxiedNetwork, parseAnswer, request, startProxiedNetwork, upgradeHeaders } from '../kit/proxied-network.ts';

const inside = [
  '127.0.0.1',
  '127.8.8.8',
  '0.0.0.0',
  '0.1.2.3',
  '169.254.169.254',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  'fe80::1',
  'fe80::1%lo',
  '2001:db8::1%lo',
  'ff02::1',
  'localhost',
  '',
];
const outside = ['10.0.0.1', '192.168.1.1', '100.64.0.1', '172.31.250.1', '2001:db8::1', 'fd00::1', '::ffff:10.0.0.1'];

describe('proxies to loopback', () => {
  let network: ProxiedNetwork;
  before(async () => {
    network = await startProxiedNetwork();
  });
  after(() => network[Symbol.asyncDispose]());

  for (const address of inside) it(`${address || 'no address'} is refused`, () => assert.equal(isProxyable(address), false));
  for (const address of outside) it(`${address} is not`, () => assert.equal(isProxyable(address), true));

  const ask = async (path: string, headers: readonly string[] = []) => {
    const answer = parseAnswer(await network.say(request(path, { headers })));
    return `${answer.code} ${messageOf(answer)}`;
  };
  const refusal = '400 address not allowed';

  it('a pod that says it is there', async () => {
    for (const [i, ip] of ['127.0.0.1', '0.0.0.0', '169.254.169.254', '::1'].entries()) {
      await network.pod(`pod-${i}`, { ip });
      const path = `/api/v1/namespaces/default/pods/pod-${i}:${network.port}/proxy/api`;
      assert.deepEqual([await ask(path), await ask(path, upgradeHeaders)], [refusal, refusal]);
    }
    assert.deepEqual(network.dialled, []);
  });

  it('a node that says it is there, for each way to its kubelet', async () => {
    network.name('localhost', ['127.0.0.1', '::1']);
    network.name('both.example', ['10.0.0.1', '127.0.0.1']);
    for (const [i, address] of ['127.0.0.1', '::ffff:127.0.0.1', '169.254.1.1', 'localhost', 'both.example'].entries()) {
      await network.node(`node-${i}`, [{ type: address.includes('.') ? 'InternalIP' : 'Hostname', address }], network.port);
      await network.pod(`on-${i}`, { ip: '10.0.0.1', node: `node-${i}` });
      const pod = `/api/v1/namespaces/default/pods/on-${i}`;
      const ways = [
        ask(`/api/v1/nodes/node-${i}/proxy/api/v1/secrets`),
        ask(`/api/v1/nodes/node-${i}:${network.port}/proxy/api/v1/secrets`),
        ask(`/api/v1/nodes/node-${i}:80/proxy/`),
        ask(`${pod}/log`),
        ask(`${pod}/log?insecureSkipTLSVerifyBackend=true`),
        ask(`${pod}/exec?command=id&stdout=1`, upgradeHeaders),
        ask(`${pod}/attach?stdout=1`, upgradeHeaders),
        ask(`${pod}/portforward?ports=80`, upgradeHeaders),
      ];
      assert.deepEqual(
        await Promise.all(ways),
        ways.map(() => refusal),
      );
    }
    assert.deepEqual(network.dialled, []);
  });

  it('a name that resolves otherwise a moment later: what was checked is what is connected to', async () => {
    network.name('rebinding.example', ['10.0.0.9'], ['127.0.0.1']);
    await network.place('10.0.0.9:80', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await network.node('rebinding', [{ type: 'Hostname', address: 'rebinding.example' }]);
    assert.equal(await ask('/api/v1/nodes/rebinding:80/proxy/'), '200 ok');
    assert.deepEqual(network.dialled.splice(0), ['10.0.0.9:80']);
    assert.equal(await ask('/api/v1/nodes/rebinding:80/proxy/'), refusal);
  });

  it('endpoints that no pod of the namespace has', async () => {
    await network.service('hand', [{ port: 80 }]);
    const targetRef = { kind: 'Pod', namespace: 'default', name: 'other' };
    await network.pod('other', { ip: '10.0.0.7' });
    for (const address of [
      { ip: '10.0.0.8' },
      { ip: '10.0.0.8', targetRef },
      { ip: '10.0.0.7', targetRef: { ...targetRef, namespace: 'kube-system' } },
    ]) {
      const name = `hand-${JSON.stringify(address).length}`;
      await network.service(name, [{ port: 80 }]);
      await network.endpoints(name, [{ addresses: [address], ports: [{ port: 80 }] }]);
      assert.equal(await ask(`/api/v1/namespaces/default/services/${name}/proxy/`), `503 no endpoints available for service "${name}"`);
    }
    assert.deepEqual(network.dialled, []);
  });
});
