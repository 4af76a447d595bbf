/** Cluster DNS as an add-on: the Service `kube-dns` in kube-system, where pods and clients expect it, answered by this process. */
import { Service } from '../../api/generated/kinds.ts';
import { addonNamespace, defineAddon } from '../addon.ts';

const at = { namespace: addonNamespace, name: 'kube-dns' };
const read = ['get', 'list', 'watch'];

export const dns = defineAddon({
  name: 'dns',
  about: 'names of Services and pods, and the world’s',
  serviceAccount: 'kube-dns',
  rights: [
    { apiGroups: [''], resources: ['services', 'namespaces'], verbs: read },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['create'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], resourceNames: [at.name], verbs: ['patch'] },
    { apiGroups: [''], resources: ['endpoints/restricted'], verbs: ['create'] },
  ],
  objects: ({ dnsServiceIP }) => [
    {
      kind: Service,
      object: {
        metadata: {
          ...at,
          labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
        },
        spec: {
          clusterIP: dnsServiceIP,
          ports: [
            { name: 'dns', port: 53, protocol: 'UDP' },
            { name: 'dns-tcp', port: 53, protocol: 'TCP' },
          ],
        },
      },
      isOlder: (service) => !(service as Service).spec.selector, // it answers by itself; a server in pods has one
    },
  ],
  async start(context, stack) {
    const { startDNS } = await import('./start-dns.ts');
    await startDNS({ ...context, at }, stack);
  },
});
