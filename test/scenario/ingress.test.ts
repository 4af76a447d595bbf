/** Ingresses in a cluster where nothing listens: the default class, what they are told, and a status that is honest. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Event, Ingress, IngressClass, Secret } from '../../src/api/generated/kinds.ts';
import type { KindRef, KubeObject } from '../../src/api/meta/object.ts';
import { type Cluster, startCluster } from '../../src/index.ts';

const mark = 'ingressclass.kubernetes.io/is-default-class';
const backend = { service: { name: 'web', port: { number: 80 } } };
const spec = { rules: [{ host: 'a.test', http: { paths: [{ path: '/', pathType: 'Prefix' as const, backend }] } }] };

describe('Ingresses in a cluster of simulated nodes', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster({ name: 'ingress', port: 0, nodes: 0 });
  });
  after(() => cluster.stop());

  const create = (
    name: string,
    { spec: more = {}, annotations = {} }: { spec?: object; annotations?: Record<string, string> } = {},
  ): Promise<Ingress> =>
    cluster.client.create(Ingress, {
      metadata: { namespace: 'default', name, annotations },
      spec: { ...spec, ...more },
    });
  async function seen<T extends KubeObject>(kind: KindRef<T>, wanted: (object: T) => boolean): Promise<T> {
    for await (const event of cluster.client.watch(kind)) if (event.type !== 'BOOKMARK' && wanted(event.object)) return event.object;
    throw new Error('the watch has ended');
  }
  const told = (name: string, reason: string): Promise<Event> =>
    seen(Event, (event) => event.involvedObject.name === name && event.reason === reason);
  const markOf = async (): Promise<string | undefined> =>
    (await cluster.client.get(IngressClass, { name: 'timonier' })).metadata.annotations?.[mark];

  it('have the class that comes with the cluster, from the start on', async () => {
    assert.equal(await markOf(), 'true');
    assert.equal((await create('first')).spec.ingressClassName, 'timonier');
    assert.deepEqual(cluster.addons.find(({ name }) => name === 'ingress')?.note, undefined);
  });

  it('are told what is not obeyed, who was first, and which certificate is missing', async () => {
    const tls = [{ hosts: ['b.test'], secretName: 'b' }];
    await create('second', { spec: { tls }, annotations: { 'nginx.ingress.kubernetes.io/auth-url': 'x', 'cert-manager.io/issuer': 'y' } });
    assert.equal(
      (await told('second', 'AnnotationNotSupported')).message,
      'annotation nginx.ingress.kubernetes.io/auth-url means nothing to this controller',
    );
    assert.equal((await told('second', 'Conflict')).message, 'a.test / is routed by Ingress default/first, which is older');
    assert.match((await told('second', 'CertificateMissing')).message ?? '', /^Secret default\/b for b\.test is not there/);
    const data = { 'tls.crt': Buffer.from('x').toString('base64'), 'tls.key': Buffer.from('y').toString('base64') };
    await cluster.client.create(Secret, { metadata: { namespace: 'default', name: 'b' }, type: 'kubernetes.io/tls', data });
    await seen(Event, ({ message }) => message?.startsWith('Secret default/b for b.test has no certificate with its key') === true);
  });

  it('have no address, whatever somebody writes there; those of other classes are left alone', async () => {
    const body = { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } };
    await create('other', { spec: { ingressClassName: 'other' } });
    for (const name of ['other', 'first'])
      await cluster.client.patch(Ingress, { namespace: 'default', name }, { type: 'merge', body }, { subresource: 'status' });
    await seen(Ingress, ({ metadata, status }) => metadata.name === 'first' && !status.loadBalancer?.ingress);
    assert.deepEqual((await cluster.client.get(Ingress, { namespace: 'default', name: 'other' })).status, body.status);
  });

  it('leave the default to another class, and take it back', async () => {
    const other = { metadata: { name: 'nginx', annotations: { [mark]: 'true' } }, spec: { controller: 'x/y' } };
    await cluster.client.create(IngressClass, other);
    await seen(IngressClass, ({ metadata }) => metadata.name === 'timonier' && !metadata.annotations?.[mark]);
    await cluster.client.delete(IngressClass, { name: 'nginx' });
    await seen(IngressClass, ({ metadata }) => metadata.name === 'timonier' && metadata.annotations?.[mark] === 'true');
  });

  it('have no class when the add-on is off', async () => {
    await cluster.disableAddons(['ingress']);
    assert.equal((await create('last')).spec.ingressClassName, undefined);
  });
});
