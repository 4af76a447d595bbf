/** PodTemplate: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in template.spec.containers[0].resources.limits.cpu, template.spec.containers[0].terminationMessagePath and 7 more',
    given: {
      apiVersion: 'v1',
      kind: 'PodTemplate',
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x', resources: { limits: { cpu: 1 } } }] } },
    },
    has: {
      'template.spec.containers[0].resources.limits.cpu': '1',
      'template.spec.containers[0].terminationMessagePath': '/dev/termination-log',
      'template.spec.containers[0].terminationMessagePolicy': 'File',
      'template.spec.containers[0].imagePullPolicy': 'Always',
      'template.spec.restartPolicy': 'Always',
      'template.spec.terminationGracePeriodSeconds': 30,
      'template.spec.dnsPolicy': 'ClusterFirst',
      'template.spec.securityContext': {},
      'template.spec.schedulerName': 'default-scheduler',
    },
  },
  {
    name: 'refuses template.spec.containers',
    given: { apiVersion: 'v1', kind: 'PodTemplate' },
    errors: ['template.spec.containers: Required value'],
  },
  {
    name: 'warns of template.spec.nodeSelector[beta.kubernetes.io/os]',
    given: {
      apiVersion: 'v1',
      kind: 'PodTemplate',
      template: {
        metadata: { labels: { a: 'b' } },
        spec: { nodeSelector: { 'beta.kubernetes.io/os': 'x' }, containers: [{ name: 'a', image: 'x' }] },
      },
    },
    has: {
      'template.spec.containers[0].resources': {},
      'template.spec.containers[0].terminationMessagePath': '/dev/termination-log',
      'template.spec.containers[0].terminationMessagePolicy': 'File',
      'template.spec.containers[0].imagePullPolicy': 'Always',
      'template.spec.restartPolicy': 'Always',
      'template.spec.terminationGracePeriodSeconds': 30,
      'template.spec.dnsPolicy': 'ClusterFirst',
      'template.spec.securityContext': {},
      'template.spec.schedulerName': 'default-scheduler',
    },
    warnings: ['template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
  },
]);
