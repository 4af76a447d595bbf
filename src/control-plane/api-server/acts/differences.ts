/**
 * What differs between two versions of an object, for people: leaf by leaf, the most telling first, in short words.
 *
 * Pure. Left out: what the server keeps for itself (managedFields, generation), times, and what a status repeats of
 * another field (podIPs, observedGeneration). Conditions are compared by type, and other lists by name; a reason is told
 * with its condition. The values of a Secret are never told.
 */
import { equalJson } from '../../../api/meta/deep-equal.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { own } from '../../../api/meta/words.ts';
import type { ActChange } from '../../../client/events/acts.ts';
import { groupKindOf, holdsSecrets, tellable } from './secrecy.ts';

/** Differences that are told of one act. */
const changesMax = 12;
/** Differences that are looked for: an object with more of them has been replaced. */
const foundMax = 200;
const textMax = 60;
/** What comes or goes as a whole is opened this far: `metadata.labels`. */
const openedDepth = 2;

const ignoredOfMetadata = new Set([
  'managedFields',
  'resourceVersion',
  'generation',
  'uid',
  'selfLink',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
]);
const ignoredInStatus = new Set([
  'observedGeneration',
  'podIPs',
  'hostIPs',
  'hostIP',
  'qosClass',
  'containerID',
  'imageID',
  'lastState',
  'allocatedResources',
  'volumeMounts',
  'started',
  'ready',
  'terminatedPods',
  'uncountedTerminatedPods',
]);
/** Labels and annotations, of objects and of templates. */
const ignoredMarks = new Set([
  'pod-template-hash',
  'kubectl.kubernetes.io/last-applied-configuration',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'endpoints.kubernetes.io/last-change-trigger-time',
]);
/** What a pod's Ready and its containers say already. */
const ignoredConditions = new Set(['Initialized', 'PodReadyToStartContainers', 'ContainersReady']);
const isTime = (key: string): boolean => /(Time|Timestamp)$/.test(key);

function isIgnored(key: string, path: string): boolean {
  if (ignoredMarks.has(key)) return true;
  if (/^metadata\b/.test(path)) return isTime(key) || (path === 'metadata' && ignoredOfMetadata.has(key));
  return /^status\b/.test(path) && (isTime(key) || ignoredInStatus.has(key));
}

/** The first that fits counts. */
const telling: readonly RegExp[] = [
  /^spec\.replicas$/,
  /\.image$/,
  /^status\.phase$/,
  /^status\.reason$/,
  /^spec\.nodeName$/,
  /^status\.conditions\.Ready$/,
  /^status\.conditions\./,
  /ontainerStatuses\.[^.]+\.state$/,
  /\.restartCount$/,
  /^spec\./,
  /^(data|stringData|rules|subjects|roleRef)/,
  /^metadata\./,
];

interface Found {
  readonly changes: ActChange[];
  readonly hideValues: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

export function differences(before: KubeObject, after: KubeObject): readonly ActChange[] {
  const found: Found = { changes: [], hideValues: holdsSecrets(groupKindOf(after)) };
  compareFields(before as unknown as Fields, after as unknown as Fields, '', found);
  return found.changes.toSorted((a, b) => rank(a) - rank(b)).slice(0, changesMax);
}

function rank({ path }: ActChange): number {
  const index = telling.findIndex((pattern) => pattern.test(path));
  return index < 0 ? telling.length : index;
}

function compare(before: unknown, after: unknown, path: string, found: Found): void {
  if (found.changes.length >= foundMax || equalJson(before, after)) return;
  const both = [before, after].filter((value) => value !== undefined && value !== null);
  const isWhole = both.length === 1 && path.split('.').length > openedDepth;
  if (path.endsWith('.state')) tell(path, describeState(before), describeState(after), found);
  else if (both.every(Array.isArray)) compareLists(before ?? [], after ?? [], path, found);
  else if (both.every(isFields) && !isWhole) compareFields(before ?? {}, after ?? {}, path, found);
  else tell(path, textOf(before), textOf(after), found);
}

const isFields = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

function compareFields(before: unknown, after: unknown, path: string, found: Found): void {
  const [old, now] = [before as Fields, after as Fields];
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
    if (isIgnored(key, path)) continue;
    compare(own(old, key), own(now, key), path === '' ? key : `${path}.${key}`, found);
  }
}

function compareLists(before: unknown, after: unknown, path: string, found: Found): void {
  const [old, now] = [before as readonly unknown[], after as readonly unknown[]];
  const key = keyOf([...old, ...now]);
  if (!key) {
    tell(path, textOf(old), textOf(now), found);
    return;
  }
  const [oldItems, nowItems] = [byKey(old, key), byKey(now, key)];
  for (const name of new Set([...oldItems.keys(), ...nowItems.keys()])) {
    const [a, b] = [oldItems.get(name), nowItems.get(name)];
    if (path.endsWith('conditions')) compareConditions(name, { before: a, after: b, path }, found);
    else if (a && b) compareFields(a, b, `${path}.${name}`, found);
    else if (path.endsWith('ontainerStatuses')) compareFields(a ?? {}, b ?? {}, `${path}.${name}`, found);
    else tell(`${path}.${name}`, a && describeItem(a), b && describeItem(b), found);
  }
}

/** By what the items of a list are told apart. */
const keyOf = (items: readonly unknown[]): string | undefined =>
  ['type', 'name', 'key', 'ip'].find((key) => items.every((item) => isFields(item) && typeof own(item as Fields, key) === 'string'));

const byKey = (items: readonly unknown[], key: string): ReadonlyMap<string, Fields> =>
  new Map(items.map((item) => [String(own(item as Fields, key)), item as Fields]));

interface ConditionPair {
  readonly before: Fields | undefined;
  readonly after: Fields | undefined;
  readonly path: string;
}

function compareConditions(type: string, { before, after, path }: ConditionPair, found: Found): void {
  if (ignoredConditions.has(type)) return;
  tell(`${path}.${type}`, before && describeCondition(before), after && describeCondition(after), found);
}

const describeCondition = ({ status, reason }: Fields): string => (reason ? `${status} (${reason})` : String(status));

/** A taint as kubectl writes it after its key; others as they are. */
const describeItem = (item: Fields): string | undefined =>
  typeof item['effect'] === 'string' ? `${item['value'] ? `=${item['value']}` : ''}:${item['effect']}` : textOf(item);

/** Of a container: `running`, `waiting (CrashLoopBackOff)`, `terminated (OOMKilled, exit code 137)`. */
function describeState(state: unknown): string | undefined {
  const { running, waiting, terminated } = (state ?? {}) as { running?: Fields; waiting?: Fields; terminated?: Fields };
  if (running) return 'running';
  if (waiting) return waiting['reason'] ? `waiting (${waiting['reason']})` : 'waiting';
  if (terminated) return `terminated (${terminated['reason'] ?? 'Unknown'}, exit code ${terminated['exitCode']})`;
  return undefined;
}

function tell(path: string, from: string | undefined, to: string | undefined, { changes, hideValues }: Found): void {
  if (from === to && from !== undefined) return;
  const isHidden = hideValues && !(path.startsWith('metadata.') && !path.startsWith('metadata.annotations'));
  changes.push({ path, ...(!isHidden && from !== undefined && { from }), ...(!isHidden && to !== undefined && { to }) });
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = typeof value === 'object' ? JSON.stringify(value) : tellable(String(value));
  return text.length <= textMax ? text : `${text.slice(0, textMax - 1)}…`;
}
