/** Cells of the table. */
import { testCells } from '../cases.test.ts';

testCells([
  {
    name: 'shows Deployment/x, cpu: <unknown>/80%, 1',
    object: {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['x', 'Deployment/x', 'cpu: <unknown>/80%', '1', 3, 0, '27h'],
  },
  {
    name: 'shows Deployment/x, cpu: 30%/80%, 1',
    object: {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { currentReplicas: 2, desiredReplicas: 2, currentCPUUtilizationPercentage: 30 },
    },
    cells: ['x', 'Deployment/x', 'cpu: 30%/80%', '1', 3, 2, '27h'],
  },
]);
