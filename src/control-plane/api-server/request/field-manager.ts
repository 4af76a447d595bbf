/**
 * Who owns the fields that are written when a request does not say: what its user agent begins with. The cluster's own
 * components say there as whom they act (`timonier/system:kube-scheduler`), and are called what they are called in every
 * cluster. Upstream: apiserver/pkg/endpoints/handlers/create.go (prefixFromUserAgent).
 */

/** In bytes, as upstream cuts it. */
const nameMax = 128;

const ownPrefix = 'timonier/';
const serverUser = 'system:apiserver';
const components: readonly (readonly [string, string])[] = [
  ['system:node:', 'kubelet'],
  ['system:kube-scheduler', 'kube-scheduler'],
  ['system:kube-proxy', 'kube-proxy'],
  ['system:kube-controller-manager', 'kube-controller-manager'],
  ['system:serviceaccount:kube-system:', 'kube-controller-manager'],
  [serverUser, 'kube-apiserver'],
];

/** The manager of what the server itself writes. */
export const serverManager = 'kube-apiserver';

/** Agents whose managers are kept: a cluster has few, and each writes often. */
const keptMax = 256;
const kept = new Map<string, string>();

export function managerOf(userAgent: string): string {
  let manager = kept.get(userAgent);
  if (manager === undefined) {
    manager = readManager(userAgent);
    if (kept.size >= keptMax) kept.clear();
    kept.set(userAgent, manager);
  }
  return manager;
}

function readManager(userAgent: string): string {
  if (userAgent.startsWith(ownPrefix)) {
    const user = userAgent.slice(ownPrefix.length);
    const component = components.find(([prefix]) => user.startsWith(prefix));
    if (component) return component[1];
  }
  return printable(userAgent.split('/', 1)[0] ?? '');
}

/** Without what can't be printed. */
function printable(text: string): string {
  let name = '';
  for (const character of text) {
    if (/\p{C}|[\p{Z}--\x20]/v.test(character)) continue;
    if (Buffer.byteLength(name + character) > nameMax) break;
    name += character;
  }
  return name;
}
