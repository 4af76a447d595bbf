/**
 * The server shows its certificate to a node's own kubelet and to nobody else: neither to another port, nor to a machine
 * that stands where a node says it is. Mechanisms: confused deputy, stolen node address.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { messageOf, type ProxiedNetwork, parseAnswer, request, startProxiedNetwork, upgradeHeaders } from '../kit/proxied-network.ts';

describe('the kubelet as peer', () => {
  let network: ProxiedNetwork;
  before(async () => {
    network = await startProxiedNetwork();
    const { authority, servingOf } = network;
    await network.place('10.0.0.1:10250', ok, await servingOf('honest', '10.0.0.1'));
    await network.place('10.0.0.1:9100', ok);
    await network.place('10.0.0.1:6443', tellCertificate, await servingOf('honest', '10.0.0.1'));
    await network.place(
      '10.0.0.2:6443',
      ok,
      await authority.issue({ commonName: 'kube-apiserver', ipAddresses: ['10.0.0.2'], usages: ['server'] }),
    );
    await network.place('10.0.0.3:10250', ok, await servingOf('moved', '10.0.0.9'));
    await network.node('honest', [at('10.0.0.1')]);
    await network.node('thief', [at('10.0.0.1')]);
    await network.node('server', [at('10.0.0.2')], 6443);
    await network.node('moved', [at('10.0.0.3')]);
    for (const node of ['honest', 'thief', 'server', 'moved']) await network.pod(`on-${node}`, { ip: '10.0.1.1', node });
  });
  after(() => network[Symbol.asyncDispose]());

  const ask = async (path: string, headers: readonly string[] = []) => {
    const answer = parseAnswer(await network.say(request(path, { headers })));
    return `${answer.code} ${messageOf(answer)}`;
  };

  it('is asked when it is the node', async () => {
    assert.equal(await ask('/api/v1/nodes/honest/proxy/healthz'), '200 ok');
    assert.equal(await ask('/api/v1/namespaces/default/pods/on-honest/log'), '200 ok');
  });

  const refused = [
    {
      name: 'another node stands at the address',
      node: 'thief',
      why: 'certificate is of "system:node:honest", not of "system:node:thief"',
    },
    { name: 'the address is the API server’s', node: 'server', why: 'certificate is of "kube-apiserver", not of "system:node:server"' },
    {
      name: 'the node has moved to an address that its certificate does not name',
      node: 'moved',
      why: 'certificate is valid for 10.0.0.9, not 10.0.0.3',
    },
  ];
  for (const { name, node, why } of refused) {
    it(`is refused, and told nothing, when ${name}`, async () => {
      const heard = (): string[] => ['10.0.0.1:10250', '10.0.0.2:6443', '10.0.0.3:10250'].map((place) => network.received(place));
      const before = heard();
      const pod = `/api/v1/namespaces/default/pods/on-${node}`;
      const answers = [
        await ask(`/api/v1/nodes/${node}/proxy/api/v1/secrets`),
        await ask(`${pod}/log`),
        await ask(`${pod}/exec?command=id&stdout=1`, upgradeHeaders),
      ];
      const reason = `tls: failed to verify certificate: x509: ${why}`;
      assert.match(answers[0] ?? '', /^503 error trying to reach service: /);
      assert.match(answers[1] ?? '', /^500 Get "https:/);
      assert.match(answers[2] ?? '', /^500 error dialing backend: /);
      for (const answer of answers) assert.ok(answer.endsWith(reason), answer);
      assert.deepEqual(heard(), before);
    });
  }

  it('is asked again over the connection that it has proved itself on, and nobody else is', async () => {
    const answering = (socket: Socket): void => {
      socket.on('data', () => socket.write(ok));
    };
    await network.place('10.0.0.4:10250', answering, await network.servingOf('kept', '10.0.0.4'));
    await network.node('kept', [at('10.0.0.4')]);
    await network.node('follower', [at('10.0.0.4')]);
    const dials = (): number => network.dialled.filter((place) => place === '10.0.0.4:10250').length;
    for (let i = 0; i < 3; i++) assert.equal(await ask('/api/v1/nodes/kept/proxy/healthz'), '200 ok');
    assert.equal(dials(), 1);
    assert.match(await ask('/api/v1/nodes/follower/proxy/healthz'), /^503 .*certificate is of "system:node:kept"/);
    assert.equal(dials(), 2);
  });

  it('is believed without proof for logs, when the client says so', async () => {
    assert.equal(await ask('/api/v1/namespaces/default/pods/on-moved/log?insecureSkipTLSVerifyBackend=true'), '200 ok');
  });

  it('alone sees the certificate: another port of its node does not', async () => {
    assert.equal(await ask('/api/v1/nodes/honest:9100/proxy/'), '200 ok');
    assert.equal(await ask('/api/v1/nodes/https:honest:6443/proxy/'), '200 none');
    await network.node('here', [at('10.0.0.1')], 6443);
    assert.match(await ask('/api/v1/nodes/here:6443/proxy/'), /^503 .*x509/);
  });
});

const at = (address: string) => ({ type: 'InternalIP', address });
const say = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const ok = say('ok');

function tellCertificate(socket: Socket): void {
  const { subject } = (socket as TLSSocket).getPeerCertificate();
  socket.once('data', () => socket.end(say(String(subject?.CN ?? 'none'))));
}
