/** Ingress as an add-on: the class `timonier`, whose Ingresses this process serves. */
import { IngressClass } from '../../api/generated/kinds.ts';
import { defineAddon } from '../addon.ts';
import { ingressClass } from './compile-ingress.ts';

const read = ['get', 'list', 'watch'];

export const ingress = defineAddon({
  name: 'ingress',
  about: 'hosts and paths of Ingresses, on this machine',
  serviceAccount: 'ingress',
  rights: [
    { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'ingressclasses'], verbs: read },
    { apiGroups: ['networking.k8s.io'], resources: ['ingresses/status'], verbs: ['patch'] },
    { apiGroups: ['networking.k8s.io'], resources: ['ingressclasses'], resourceNames: [ingressClass.name], verbs: ['patch'] },
    { apiGroups: [''], resources: ['services'], verbs: read },
    { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  ],
  objects: () => [{ kind: IngressClass, object: { metadata: { name: ingressClass.name }, spec: { controller: ingressClass.controller } } }],
  async start(context, stack) {
    const { startIngress } = await import('./start-ingress.ts');
    await startIngress(context, stack);
  },
});
