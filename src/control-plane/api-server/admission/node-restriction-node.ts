/** What of its own Node a kubelet may say. Upstream: plugin/pkg/admission/noderestriction/admission.go (admitNode). */
import type { Node } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { hostnameLabel, regionLabel, zoneLabel } from '../../../api/meta/well-known.ts';
import { own } from '../../../api/meta/words.ts';
import type { AdmissionRequest } from '../request/request.ts';

type Labels = Readonly<Record<string, string>>;

const kubeletLabels = new Set([
  hostnameLabel,
  zoneLabel,
  regionLabel,
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);

export function nodeProblem(node: string, { operation, name, object, oldObject }: AdmissionRequest): string | undefined {
  const asked = name || object?.metadata.name || '';
  if (asked !== node) return `node "${node}" is not allowed to modify node "${asked}"`;
  const given = object as Node | undefined;
  if (operation === 'CREATE') {
    if (given?.spec?.configSource) return `node "${node}" is not allowed to create pods with a non-nil configSource`;
    const labels = forbiddenLabels(given?.metadata.labels, undefined);
    return labels.length > 0 ? `node "${node}" is not allowed to set the following labels: ${labels.join(', ')}` : undefined;
  }
  return operation === 'UPDATE' && given ? updateProblem(node, given, oldObject as Node) : undefined;
}

function updateProblem(node: string, given: Node, old: Node): string | undefined {
  if (given.spec?.configSource && !equalSemantically(given.spec.configSource, old.spec?.configSource))
    return `node "${node}" is not allowed to update configSource to a new non-nil configSource`;
  if (!equalSemantically(given.spec?.taints, old.spec?.taints)) return `node "${node}" is not allowed to modify taints`;
  if (!equalSemantically(given.metadata.ownerReferences, old.metadata.ownerReferences))
    return `node "${node}" is not allowed to modify ownerReferences`;
  const labels = forbiddenLabels(given.metadata.labels, old.metadata.labels);
  return labels.length > 0 ? `is not allowed to modify labels: ${labels.join(', ')}` : undefined;
}

function forbiddenLabels(labels: Labels = {}, old: Labels = {}): readonly string[] {
  const changed = [...new Set([...Object.keys(labels), ...Object.keys(old)])].filter((key) => own(labels, key) !== own(old, key));
  return changed.filter(isForbiddenLabel).sort();
}

function isForbiddenLabel(key: string): boolean {
  const slash = key.indexOf('/');
  const namespace = slash < 0 ? '' : key.slice(0, slash);
  const below = (domain: string): boolean => namespace === domain || namespace.endsWith(`.${domain}`);
  if (below('node-restriction.kubernetes.io')) return true;
  if (!below('kubernetes.io') && !below('k8s.io')) return false;
  return !kubeletLabels.has(key) && !below('kubelet.kubernetes.io') && !below('node.kubernetes.io');
}
