/**
 * An act (client/events/acts.ts) in words: who, and what he did. Pure.
 *
 * Guarantee: one line without control characters, whatever clients have written.
 */
import { own } from '../../api/meta/words.ts';
import { type Act, type ActChange, idOf } from '../../client/events/acts.ts';
import type { Told } from './follow-acts.ts';
import type { RepeatedAct } from './group-repeats.ts';

export interface ActWords {
  readonly time: string;
  /** `you`, `scheduler`, `kubelet node-1`, `user "jane"`, `bakery/baker`: no user's name looks like a component */
  readonly actor: string;
  readonly text: string;
  readonly tone: 'plain' | 'dim' | 'good' | 'warning' | 'bad';
}

export interface WordsOptions {
  /** the user who is called `you` */
  readonly you: string;
  /** objects of this namespace are named without theirs; default: those of `default` */
  readonly namespace?: string | undefined;
}

/** Changes that a line tells; `--json` has more. */
const changesMax = 3;
const accountPrefix = 'system:serviceaccount:';

export function describeAct(act: Act, options: WordsOptions): ActWords {
  const words = wordsOf(act, options);
  return { time: act.time, actor: plain(actorOf(act, options.you)), tone: words.tone, text: plain(words.text) };
}

export function describeRepeats({ repeated, times, seconds }: RepeatedAct, options: WordsOptions): ActWords {
  const { text, ...words } = describeAct(repeated, options);
  const { object, component, refusal } = repeated;
  const any = { ...repeated, object: component ? { ...object, name: '' } : object }; // each was another
  const refused = refusal && refusalHead(any, nameOf(any, options.namespace));
  return { ...words, text: `… ${times} times more in ${seconds} s: ${refused ? plain(refused) : text}` };
}

/** What is no act. */
export function describeNote(note: Exclude<Told, Act>): string {
  if ('lost' in note) return `… ${note.lost} acts are not shown: they came faster than they were read`;
  if ('away' in note) {
    const then = note.away.isWhole ? 'what happened since it is back follows' : 'what happened then is not told';
    return `… the API server was away for ${note.away.seconds} s; ${then}`;
  }
  if ('waiting' in note) return `… the cluster has stopped; waiting ${note.waiting.seconds} s for it to come back`;
  return { stopped: 'the cluster has stopped', deleted: 'the cluster was deleted', unknown: 'the API server does not answer any more' }[
    note.ended
  ];
}

function actorOf({ component, node, user }: Act, you: string): string {
  if (component) return node ? `${component} ${node}` : component;
  if (user === you) return 'you';
  return user.startsWith(accountPrefix) ? user.slice(accountPrefix.length).replace(':', '/') : `user ${JSON.stringify(user)}`;
}

type Words = Pick<ActWords, 'text' | 'tone'>;

function wordsOf(act: Act, { namespace }: WordsOptions): Words {
  const id = nameOf(act, namespace);
  switch (act.did) {
    case 'created':
      return { tone: 'plain', text: `created ${id}${inBrackets(ofWhat(act), act.why)}` };
    case 'deleted':
      return { tone: 'plain', text: `${act.component === 'kubelet' ? 'removed' : 'deleted'} ${id}${inBrackets(act.why)}` };
    case 'marked':
      return {
        tone: 'plain',
        text: `${act.object.subresource === 'eviction' ? 'evicted' : 'deleted'} ${id}${inBrackets(act.summary, act.why)}`,
      };
    case 'changed':
      return changeWords(act, id);
    case 'told':
      return eventWords(act, id);
    case 'refused':
      return refusalWords(act, id);
  }
}

function nameOf({ object }: Act, namespace = 'default'): string {
  const { namespace: own, name, kind } = object;
  const id = name ? idOf(object) : `a ${kind}`;
  return own && own !== namespace ? `${id} in ${own}` : id;
}

const inBrackets = (...texts: readonly (string | undefined)[]): string => {
  const there = texts.filter(Boolean);
  return there.length > 0 ? ` (${there.join('; ')})` : '';
};

/** An EndpointSlice is its Service's. */
const ofWhat = ({ object, owners = [], summary }: Act): string | undefined =>
  object.kind === 'endpointslice' ? owners.map((owner) => `for ${owner}, ${summary}`)[0] : summary;

function changeWords(act: Act, id: string): Words {
  const { object, changes = [], why, summary, owners = [] } = act;
  const of = (path: string): ActChange | undefined => changes.find((change) => change.path === path);
  const node = of('spec.nodeName');
  if (node && object.subresource === 'binding') return { tone: 'good', text: `bound ${id} → ${node.to}${inBrackets(why)}` };
  if (object.kind === 'endpointslice') return { tone: 'plain', text: `${owners[0] ?? id}: ${summary}` };
  const replicas = of('spec.replicas');
  if (replicas) {
    const others = changes.filter((change) => change !== replicas && !isBookkeeping(change));
    const more = others.length > 0 ? `, ${listOf(others)}` : '';
    return { tone: 'plain', text: `scaled ${id} ${replicas.from ?? 0} → ${replicas.to ?? 0}${more}${inBrackets(why)}` };
  }
  if (object.subresource !== 'status') return { tone: 'plain', text: `changed ${[id, ...listed(changes)].join(': ')}${inBrackets(why)}` };
  if (object.kind === 'pod') return podWords(act, id);
  const alarm = changes.find(({ path, to = '' }) =>
    /Progressing$/.test(path) ? to.startsWith('False') : /(ReplicaFailure|Failed)$/.test(path),
  );
  const told = summary || listOf(object.kind === 'namespace' ? changes.filter(isHeldUp) : changes);
  return alarm ? { tone: 'bad', text: `${id}: ${told}, ${listOf([alarm])}` } : { tone: 'plain', text: `${id}: ${told}` };
}

function podWords({ changes = [] }: Act, id: string): Words {
  const telling = changes.filter(({ path, from, to }) => {
    if (path.endsWith('.restartCount')) return (to ?? '0') !== '0' && from !== undefined;
    return /^status\.(phase|reason|conditions\..+)$|\.state$/.test(path);
  });
  const isBad = telling.some(({ to = '' }) => /^Failed|OOMKilled|Error|BackOff|Evicted|CreateContainer|ImageNeverPull/.test(to));
  const isUp = telling.some(({ path, to }) => path === 'status.conditions.Ready' && to === 'True');
  return { tone: isBad ? 'bad' : isUp ? 'good' : 'plain', text: `${id}: ${listOf(telling)}` };
}

const isBookkeeping = ({ path }: ActChange): boolean => path.startsWith('metadata.annotations.');

function listOf(changes: readonly ActChange[]): string {
  const more = changes.length - changesMax;
  return `${changes.slice(0, changesMax).map(describeChange).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}

const listed = (changes: readonly ActChange[]): readonly string[] => (changes.length > 0 ? [listOf(changes)] : []);

/** `image of front bakery:1.0 → bakery:2.0`, `Pending → Running`, `not ready (ContainersNotReady)`. */
export function describeChange({ path, from, to }: ActChange): string {
  const condition = /^status\.conditions\.(.+)$/.exec(path)?.[1];
  if (condition) return describeCondition(condition, from, to);
  const container = /^status\.\w*ontainerStatuses\.(.+)\.(state|restartCount)$/.exec(path);
  if (container) return container[2] === 'state' ? `${container[1]} ${to ?? 'gone'}` : `${container[1]} restarted (${to} so far)`;
  if (path === 'status.phase' || path === 'status.reason') return from === undefined ? `${to}` : `${from} → ${to}`;
  const taint = /^spec\.taints\.(.+)$/.exec(path)?.[1];
  if (taint) return to === undefined ? `taint ${taint} removed` : `taint ${taint}${to}`;
  const name = path.replace(/^spec\.template\./, '').replace(/^(spec|status|metadata)\./, '');
  const image = /containers\.(.+)\.image$/i.exec(name)?.[1];
  const what = image ? `image of ${image}` : name;
  if (from === undefined && to === undefined) return what;
  if (from === undefined) return `${what} ${to}`;
  return to === undefined ? `${what} removed` : `${what} ${from} → ${to}`;
}

/** What keeps a namespace from being gone. */
const heldUp: Readonly<Record<string, string>> = {
  NamespaceDeletionDiscoveryFailure: 'not all its kinds can be found',
  NamespaceDeletionGroupVersionParsingFailure: 'not all its kinds can be read',
  NamespaceDeletionContentFailure: 'not all that is in it can be deleted',
  NamespaceContentRemaining: 'something is left in it',
  NamespaceFinalizersRemaining: 'finalizers hold what is left in it',
};
const isHeldUp = ({ path, to = '' }: ActChange): boolean => !/^status\.conditions\.Namespace/.test(path) || to.startsWith('True');
/** Conditions that are good news when they are not. */
const isTrouble = (type: string): boolean => /(Failure|Failed|Pressure|Problem|Unavailable)$/.test(type);

function describeCondition(type: string, from: string | undefined, to: string | undefined): string {
  if (to === undefined) return `condition ${type} removed`;
  const space = to.indexOf(' ');
  const [status, reason] = space < 0 ? [to, ''] : [to.slice(0, space), to.slice(space)];
  const word = type === 'Ready' ? 'ready' : type;
  if (status === 'True') return type === 'Ready' ? word : (own(heldUp, type) ?? `${word}${reason}`);
  if (status !== 'False') return `${word} unknown${reason}`;
  if (isTrouble(type)) return `${from?.startsWith('True') ? 'no longer' : 'no'} ${word}${reason}`;
  return `not ${word}${reason}`;
}

/** Those whose own words say less than they could. */
const told: Readonly<Record<string, (message: string, id: string, container: string) => string>> = {
  Pulling: (message, id) => `${message.replace(/^Pulling image/, 'pulls image')} for ${id}`,
  Pulled(message, id) {
    const there = /^Container image (".*") already present/.exec(message);
    return there
      ? `has image ${there[1]} already for ${id}`
      : `${message.replace(/^Successfully pulled/, 'pulled').replace(/ \(.*$/, '')} for ${id}`;
  },
  Started: (_, id, container) => `started container ${container} of ${id}`,
  Killing: (message, id) => (message.startsWith('Stopping') ? `${message.replace('Stopping', 'stops')} of ${id}` : `${id}: ${message}`),
  FailedScheduling: (message, id) => `finds no node for ${id}: ${message}`,
};

function eventWords({ event }: Act, id: string): Words {
  if (!event) return { tone: 'plain', text: id };
  const { type, reason, message, count, container = '' } = event;
  const said = message.startsWith(reason) ? message : `${reason}: ${message}`;
  const text = own(told, reason)?.(message, id, container) ?? `${id}: ${said}`;
  const times = count > 1 ? ` (${count} times)` : '';
  return { tone: type === 'Warning' ? 'warning' : reason === 'Started' ? 'good' : 'plain', text: `${text}${times}` };
}

const refusalWords = (act: Act, id: string): Words => ({ tone: 'bad', text: `${refusalHead(act, id)}: ${act.refusal?.message}` });

function refusalHead({ verb, object, refusal }: Act, id: string): string {
  const { code = 0, by, resource = '' } = refusal ?? {};
  const isOfMany = verb === 'list' || verb === 'watch' || verb === 'deletecollection';
  const of = isOfMany && !object.name ? resource : id;
  const what = object.subresource ? `${verb} ${object.subresource} of ${of}` : `${verb} ${of}`;
  return `was refused (${code}${by ? ` by ${by}` : ''}): ${what}`;
}

/** Without what a terminal would obey. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const plain = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ');
