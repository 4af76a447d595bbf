/** Volumes of pods: what is filled in, and what is refused. */
import { testCreates } from '../../cases.test.ts';

testCreates([
  {
    name: 'refuses spec.volumes[0].projected',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        volumes: [
          {
            name: 'h',
            projected: {
              sources: [
                { configMap: { name: 'q', items: [{ key: 'a', path: 'x' }] } },
                { secret: { name: 'r', items: [{ key: 'b', path: 'x' }] } },
              ],
            },
          },
        ],
      },
    },
    errors: ['spec.volumes[0].projected: Invalid value: "r": conflicting duplicate paths'],
  },
  {
    name: 'warns of volume "h" (Projected) has no sources provided',
    given: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'nginx' }],
        volumes: [{ name: 'h', projected: { sources: [{ clusterTrustBundle: { name: 'x', path: 'y' } }] } }],
      },
    },
    has: { 'spec.volumes[0].projected.sources[0]': {}, 'spec.volumes[0].projected.defaultMode': 420 },
    warnings: ['volume "h" (Projected) has no sources provided'],
  },
]);
