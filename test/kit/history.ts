/** All that happens in a cluster while a few ordinary things are done to it, as its watchers see it: one line of JSON for each event, by revision. */
import { setImmediate } from 'node:timers/promises';
import { discoverResources, type KubeObject, kinds, seededRandom, startCluster, VirtualClock } from '../../src/index.ts';

const namespace = 'default';
const labels = { app: 'front' };
const spec = { containers: [{ name: 'main', image: 'bakery', resources: { requests: { cpu: '100m' } } }] };
const template = { metadata: { labels }, spec };

/** `request`: a certificate request, base64. */
export async function recordHistory(seed: number, request: string): Promise<string[]> {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ simulated: 3, clock, random: seededRandom(seed) });
  const { client } = cluster;
  const events: { readonly revision: number; readonly line: string }[] = [];
  const stop = new AbortController();
  const { resources } = await discoverResources(client);
  const watching = resources
    .filter(({ verbs }) => verbs.includes('watch'))
    .map(async (kind) => {
      try {
        for await (const { type, object } of client.watch<KubeObject>(kind, { signal: stop.signal }))
          events.push({ revision: Number(object.metadata.resourceVersion), line: `${type} ${JSON.stringify(object)}` });
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
    });
  await setImmediate();
  await client.create(kinds.Deployment, {
    metadata: { name: 'front', namespace },
    spec: { replicas: 3, selector: { matchLabels: labels }, template },
  });
  await client.create(kinds.Service, { metadata: { name: 'front', namespace }, spec: { selector: labels, ports: [{ port: 80 }] } });
  const jobTemplate = { spec: { template: { spec: { ...spec, restartPolicy: 'Never' as const } } } };
  await client.create(kinds.CronJob, { metadata: { name: 'bake', namespace }, spec: { schedule: '* * * * *', jobTemplate } });
  await client.create(kinds.Namespace, { metadata: { generateName: 'corner-' }, spec: {} });
  const annotations = { 'kubernetes.io/service-account.name': 'default' };
  const type = 'kubernetes.io/service-account-token';
  await client.create(kinds.Secret, { metadata: { name: 'token', namespace, annotations }, type });
  const asked = { request, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth' as const] };
  const csr = await client.create(kinds.CertificateSigningRequest, { metadata: { name: 'jane' }, spec: asked });
  const conditions = [{ type: 'Approved', status: 'True' as const, reason: 'Test' }];
  await client.update(kinds.CertificateSigningRequest, { ...csr, status: { conditions } }, { subresource: 'approval' });
  await clock.advance(180_000);
  await cluster.killNode('default-simulated-1');
  await clock.advance(420_000);
  stop.abort();
  await Promise.all(watching);
  return events.sort((a, b) => a.revision - b.revision || (a.line < b.line ? -1 : 1)).map(({ line }) => line);
}
