/**
 * A pod stays five minutes on a node that is not ready or not reachable, unless it says otherwise.
 * Upstream: plugin/pkg/admission/defaulttolerationseconds/admission.go.
 */

import type { Toleration } from '../../../api/generated/core-v1.ts';
import { Pod } from '../../../api/generated/kinds.ts';
import { isKind } from '../../../api/meta/object.ts';
import { notReadyTaint, unreachableTaint } from '../../../api/meta/well-known.ts';
import type { AdmissionPlugin } from './plugin.ts';

const tolerationSeconds = 300;
const keys = [notReadyTaint, unreachableTaint];

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: (kind, operation, subresource) => isKind(kind, Pod) && !subresource && (operation === 'CREATE' || operation === 'UPDATE'),
  admit(request) {
    const pod = request.object as Pod;
    const tolerations = pod.spec.tolerations ?? [];
    const missing = keys.filter((key) => !tolerations.some((each) => concerns(each, key)));
    if (missing.length === 0) return undefined;
    const added = missing.map((key): Toleration => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }));
    return { ...pod, spec: { ...pod.spec, tolerations: [...tolerations, ...added] } } as Pod;
  },
};

const concerns = ({ key, effect }: Toleration, wanted: string): boolean => (key === wanted || !key) && (effect === 'NoExecute' || !effect);
