/**
 * Transcripts of a whole cluster on a virtual clock: what is done to it, and what is seen of it. A transcript is a text
 * file of steps, each a command, its input up to `----`, and its output up to an empty line; lines between steps are
 * prose. The clock stands still between steps, and every run gives the same output.
 *
 *   apply                      objects in YAML as input: created, or their fields replaced
 *   delete KIND NAME [orphan]  scale KIND NAME REPLICAS   patch KIND NAME (a merge patch as input)
 *   kill NODE                  start NODE
 *   tick DURATION              lets time pass: `30s`, `5m`
 *   show KIND [wide] [by LABELS]   as kubectl prints it
 *   events [NAME]              in their order, of everything or of one object: those since the last time
 *   acts [COMPONENT]           as `timonier watch` shows them, since the last time
 *   as USER                    who does what follows; `as` alone: the administrator
 */
import assert from 'node:assert/strict';
import { parseAllDocuments } from 'yaml';
import type { Event as EventObject } from '../../src/api/generated/core-v1.ts';
import { CustomResourceDefinition, Event } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import { customResource } from '../../src/api/kinds/apiextensions/custom-kind.ts';
import { parseDuration } from '../../src/api/meta/duration.ts';
import type { Kind } from '../../src/api/meta/kind.ts';
import type { KubeObject, ObjectName } from '../../src/api/meta/object.ts';
import { isAlreadyExists, StatusError } from '../../src/api/meta/status-error.ts';
import { renderColumns } from '../../src/cli/output.ts';
import { renderAct } from '../../src/cli/watch/render-act.ts';
import type { Client } from '../../src/client/client.ts';
import { detach } from '../../src/client/detached.ts';
import { type Act, type Cluster, type LostActs, seededRandom, startCluster, VirtualClock } from '../../src/index.ts';

interface Step {
  /** prose before it, as it stands */
  readonly prose: string;
  readonly command: string;
  readonly input: string;
  readonly output: string;
}

const separator = '----';

export function parseTranscript(text: string): { readonly steps: readonly Step[]; readonly end: string } {
  const steps: Step[] = [];
  const lines = text.split('\n');
  let prose: string[] = [];
  while (lines.length > 0) {
    const line = lines.shift() ?? '';
    if (line === '' || line.startsWith('#')) {
      prose.push(line);
      continue;
    }
    const divide = lines.indexOf(separator);
    assert.ok(divide >= 0, `no ${separator} after: ${line}`);
    const input = lines.splice(0, divide + 1).slice(0, -1);
    const blank = lines.indexOf('');
    const output = lines.splice(0, blank < 0 ? lines.length : blank);
    steps.push({ prose: prose.map((l) => `${l}\n`).join(''), command: line, input: input.join('\n'), output: output.join('\n') });
    prose = [];
  }
  return { steps, end: prose.join('\n') };
}

export const renderTranscript = ({ steps, end }: ReturnType<typeof parseTranscript>): string =>
  steps
    .map(
      ({ prose, command, input, output }) =>
        `${prose}${[command, ...(input ? [input] : []), separator, ...(output ? [output] : [])].join('\n')}\n`,
    )
    .join('') + end;

/** The same transcript with what really happens. */
export async function play(text: string): Promise<string> {
  const { steps, end } = parseTranscript(text);
  const clock = new VirtualClock();
  await using cluster = await startCluster({ simulated: 3, clock, random: seededRandom(1) });
  const stage = new Stage(cluster, clock);
  if (steps.some(({ command }) => /^acts\b/.test(command))) stage.watch();
  await stage.run('tick 1m', '');
  await stage.run('events', ''); // those of the start
  await stage.run('acts', '');
  const played: Step[] = [];
  for (const step of steps) played.push({ ...step, output: await stage.run(step.command, step.input) });
  return renderTranscript({ steps: played, end });
}

const builtIns: readonly Kind[] = builtInRegistry().current.list();
const namespace = 'default';
const noConverter = (): never => assert.fail('transcripts know no conversion webhooks');
const describe = (kind: Kind, name: string | undefined): string => `${kind.singular}${kind.group ? `.${kind.group}` : ''}/${name}`;

class Stage {
  readonly #cluster: Cluster;
  readonly #clock: VirtualClock;
  readonly #told = new Map<string, string>();
  readonly #acts: (Act | LostActs)[] = [];
  #client: Client;

  constructor(cluster: Cluster, clock: VirtualClock) {
    this.#cluster = cluster;
    this.#client = cluster.client;
    this.#clock = clock;
  }

  /** Ends with the cluster. */
  watch(): void {
    const acts = this.#cluster.acts();
    detach(
      async () => {
        for await (const act of acts) this.#acts.push(act);
      },
      (error) => assert.fail(String(error)),
    );
  }

  async run(command: string, input: string): Promise<string> {
    const [verb = '', ...words] = command.split(' ');
    const act = this.#verbs[verb] ?? assert.fail(`no command ${verb}`);
    try {
      const said = await act(words, input);
      await this.#clock.advance(0);
      return said.join('\n');
    } catch (error) {
      if (error instanceof StatusError) return `Error (${error.status.reason}): ${error.message}`;
      throw error;
    }
  }

  readonly #verbs: Readonly<Record<string, (words: readonly string[], input: string) => Promise<readonly string[]>>> = {
    apply: async (_, input) => {
      const said: string[] = [];
      for (const document of parseAllDocuments(input)) said.push(await this.#apply(document.toJS() as KubeObject));
      return said;
    },
    delete: async ([kindName = '', name = '', orphan]) => {
      const kind = await this.#kindNamed(kindName);
      await this.#client.delete(kind, at(kind, name), { propagationPolicy: orphan ? 'Orphan' : 'Background' });
      return [`${describe(kind, name)} deleted`];
    },
    scale: async ([kindName = '', name = '', replicas]) => this.#patch(kindName, name, { spec: { replicas: Number(replicas) } }),
    patch: async ([kindName = '', name = ''], input) => this.#patch(kindName, name, parseAllDocuments(input)[0]?.toJS()),
    kill: async ([node = '']) => this.#cluster.killNode(node).then(() => []),
    start: async ([node = '']) => this.#cluster.startNode(node).then(() => []),
    tick: async ([duration]) => {
      await this.#clock.advance(parseDuration(duration) ?? assert.fail(`no duration: ${duration}`));
      return [];
    },
    show: async ([kindName = '', ...options]) => this.#show(await this.#kindNamed(kindName), options),
    events: async ([name]) => this.#events(name),
    acts: async ([component]) => this.#tellActs(component),
    as: async ([name]) => {
      this.#client = name ? this.#cluster.clientFor({ name }) : this.#cluster.client;
      return [];
    },
  };

  async #kindNamed(name: string): Promise<Kind> {
    return (await this.#kindThat((k) => [k.resource, k.singular, ...k.shortNames].includes(name))) ?? assert.fail(`no kind ${name}`);
  }

  /** Among the built-in ones, then those that are defined now. */
  async #kindThat(fits: (kind: Kind) => boolean): Promise<Kind | undefined> {
    const builtIn = builtIns.find(fits);
    if (builtIn) return builtIn;
    const { items } = await this.#cluster.client.list(CustomResourceDefinition);
    return items.flatMap((definition) => customResource(definition, noConverter)?.versions ?? []).find(fits);
  }

  async #apply(object: KubeObject): Promise<string> {
    const kind = await this.#kindThat(
      (k) => k.kind === object.kind && object.apiVersion === (k.group ? `${k.group}/${k.version}` : k.version),
    );
    assert.ok(kind, `no kind ${object.apiVersion} ${object.kind}`);
    const metadata = kind.namespaced ? { namespace, ...object.metadata } : object.metadata;
    const client = this.#client;
    try {
      await client.create(kind, { ...object, metadata });
      return `${describe(kind, metadata.name)} created`;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await client.patch(kind, { ...metadata, name: metadata.name ?? '' }, { type: 'strategic', body: object });
      return `${describe(kind, metadata.name)} configured`;
    }
  }

  async #patch(kindName: string, name: string, body: unknown): Promise<readonly string[]> {
    const kind = await this.#kindNamed(kindName);
    await this.#client.patch(kind, at(kind, name), { type: 'merge', body });
    return [`${describe(kind, name)} patched`];
  }

  async #show(kind: Kind, options: readonly string[]): Promise<readonly string[]> {
    const by = options[options.indexOf('by') + 1];
    const { items } = await this.#cluster.client.list(kind, {
      ...(kind.namespaced && { namespace }),
      ...(options.includes('by') && by !== undefined && { labelSelector: by }),
    });
    if (!items.length) return ['none'];
    const shown = kind.columns.map(({ priority }) => priority === 0 || options.includes('wide'));
    const only = <T>(cells: readonly T[]): string[] => cells.filter((_, i) => shown[i]).map((cell) => String(cell ?? '<none>') || '<none>');
    const rows = items.map((object) => only(kind.hooks.cells?.(object, { nowMs: this.#clock.now() }) ?? []));
    return renderColumns([only(kind.columns.map((column) => column.name.toUpperCase())), ...rows]);
  }

  #tellActs(component: string | undefined): readonly string[] {
    const acts = this.#acts.splice(0);
    const wanted = component ? acts.filter((act) => 'lost' in act || (act.component ?? act.user) === component) : acts;
    const options = { you: 'kubernetes-admin', hasColours: false, timeOf: (time: string) => time.slice('2026-01-01T'.length, -1) };
    return wanted.flatMap((act) => renderAct(act, options));
  }

  async #events(name: string | undefined): Promise<readonly string[]> {
    const { items } = await this.#cluster.client.list(Event);
    const since = items.filter((event) => this.#told.get(event.metadata.uid ?? '') !== event.metadata.resourceVersion);
    const wanted = since.filter(({ involvedObject }) => name === undefined || involvedObject.name === name);
    for (const { metadata } of wanted) this.#told.set(metadata.uid ?? '', metadata.resourceVersion ?? '');
    return wanted.toSorted(inOrder).map(({ type, reason, involvedObject: { kind, name: of }, message, count = 1 }) => {
      const head = `${type} ${reason} ${kind?.toLowerCase()}/${of}`;
      return `${head}: ${message}${count > 1 ? ` (${count} times)` : ''}`;
    });
  }
}

const at = (kind: Kind, name: string): ObjectName => (kind.namespaced ? { namespace, name } : { name });
const inOrder = (a: EventObject, b: EventObject): number => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion);
