/** ComponentStatus: asked for only. Upstream: pkg/printers/internalversion/printers.go. */
import { ComponentStatus } from '../../generated/kinds.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';

export const componentStatus = defineKind(ComponentStatus, {
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  isComputed: true,
  hooks: {
    cells: ({ metadata, conditions }) => {
      const found = listOf(conditions).find(({ type }) => type === 'Healthy');
      const health = found?.status === 'True' ? 'Healthy' : 'Unhealthy';
      return [metadata.name, found ? health : 'Unknown', found?.message ?? '', found?.error ?? ''];
    },
  },
});
