/**
 * A new node starts with the not-ready taint, so that nothing is scheduled there before the node says it is ready.
 * Upstream: plugin/pkg/admission/nodetaint/admission.go.
 */

import { Node } from '../../../api/generated/kinds.ts';
import { isKind } from '../../../api/meta/object.ts';
import { notReadyTaint } from '../../../api/meta/well-known.ts';
import type { AdmissionPlugin } from './plugin.ts';

const taint = { key: notReadyTaint, effect: 'NoSchedule' } as const;

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: (kind, operation, subresource) => isKind(kind, Node) && operation === 'CREATE' && !subresource,
  admit(request) {
    const node = request.object as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === taint.key && effect === taint.effect)) return undefined;
    return { ...node, spec: { ...node.spec, taints: [...taints, taint] } } as Node;
  },
};
