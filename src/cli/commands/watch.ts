/**
 * `timonier watch`: what happens in a cluster, one line for each act, until the cluster is gone (watch/follow-acts.ts) or
 * the reader has seen enough.
 */
import type { Command } from 'commander';
import { Namespace } from '../../api/generated/kinds.ts';
import { isNotFound, isStatusError } from '../../api/meta/status-error.ts';
import { realClock } from '../../client/clock.ts';
import type { openActsAfter } from '../../client/events/act-stream.ts';
import type { Act, ActFilter, ActStart, LostActs } from '../../client/events/acts.ts';
import { identities } from '../../cluster/identities.ts';
import { kubeconfigInMemory, usualCluster } from '../../cluster/instance/cluster-name.ts';
import { readFacts, stateFrom } from '../../cluster/instance/condition.ts';
import { runningInstance } from '../../cluster/instance/find-instance.ts';
import { Instance } from '../../cluster/instance/instance.ts';
import { OperationError } from '../../cluster/operation-error.ts';
import { sayWhenInterrupted } from '../interruption.ts';
import { createOutput, readerGone } from '../output.ts';
import { accessFrom } from '../user-kubeconfig.ts';
import { type Fate, followActs } from '../watch/follow-acts.ts';
import { groupRepeats } from '../watch/group-repeats.ts';
import { type RenderOptions, renderAct } from '../watch/render-act.ts';
import { nameArgument } from './cluster-flags.ts';

interface WatchFlags {
  readonly namespace?: string;
  readonly component?: string;
  readonly all?: boolean;
  readonly kubeconfig?: string;
  readonly json?: boolean;
}

export function addWatch(program: Command): void {
  program
    .command('watch')
    .description('what happens in a cluster, act by act: who did what, and why')
    .addArgument(nameArgument())
    .argument('[OBJECTS...]', 'only these and what they own: deployment/front, pod/x')
    .option('-n, --namespace <NAMESPACE>', 'only what is in this namespace')
    .option('-c, --component <LIST>', 'only what these components did, or you: scheduler,kubelet,you')
    .option('-a, --all', 'also what goes on all the time: leases, heartbeats')
    .option('--kubeconfig <FILE>', 'the cluster that this file leads to')
    .option('--json', 'the acts as JSON, one a line')
    .action(async (name: string, objects: readonly string[], flags: WatchFlags) => {
      const isObject = name.includes('/'); // no cluster is called so
      await watch(isObject ? usualCluster() : name, isObject ? [name, ...objects] : objects, flags);
    });
}

async function watch(name: string, objects: readonly string[], flags: WatchFlags): Promise<void> {
  const { kubeconfig: file = kubeconfigInMemory(name) } = flags;
  if (file === undefined) await runningInstance(name);
  const what = file === undefined ? `cluster "${name}"` : (await accessFrom(file)).server;
  const output = createOutput(flags.json === true);
  const render = renderOptions(flags);
  const signal = readerGone();
  const filter = filterFrom(objects, flags);
  let isBegun = false;
  const open = async (start: string): Promise<AsyncIterable<Act | LostActs | ActStart>> => {
    const access = file ?? new Instance(name).kubeconfig;
    const acts = await actsFrom(access, { filter, start, signal });
    if (!isBegun) await sayBegun(`Watching ${what}. Ctrl-C ends it.`, access, flags);
    isBegun = true;
    return acts;
  };
  const fate = async (): Promise<Fate> => (file === undefined ? fateOf(name) : 'unknown');
  const followed = followActs({ clock: realClock, signal, open, fate });
  using _word = sayWhenInterrupted(() => ({ left: `${what} is left as it is` }), output.json);
  try {
    for await (const told of output.json ? followed : groupRepeats(followed, realClock)) {
      output.event(told);
      if (!output.json) for (const line of renderAct(told, render())) output.line(line);
    }
  } catch (error) {
    throw explained(error, what);
  }
}

/** With a word where nothing will come as long as nobody makes the namespace. */
async function sayBegun(line: string, kubeconfig: string, { namespace, json }: WatchFlags): Promise<void> {
  if (json) return;
  const isThere = namespace === undefined || (await hasNamespace(kubeconfig, namespace));
  process.stderr.write(`${line}\n${isThere ? '' : `There is no namespace "${namespace}" yet: nothing comes until somebody makes it.\n`}`);
}

/** Of one that nobody can tell of it is believed. */
async function hasNamespace(kubeconfig: string, name: string): Promise<boolean> {
  const { commandClient } = await import('../../cluster/instance/control-client.ts');
  await using client = commandClient(await accessFrom(kubeconfig));
  try {
    await client.get(Namespace, { name });
    return true;
  } catch (error) {
    return !isNotFound(error);
  }
}

/** The kubeconfig is read each time: a start writes it anew, and may choose another port. */
async function actsFrom(kubeconfig: string, how: Parameters<typeof openActsAfter>[1]): Promise<AsyncIterable<Act | LostActs | ActStart>> {
  const [{ commandClient }, { openActsAfter }] = await Promise.all([
    import('../../cluster/instance/control-client.ts'),
    import('../../client/events/act-stream.ts'),
  ]);
  const access = await accessFrom(kubeconfig);
  await using stack = new AsyncDisposableStack();
  const client = stack.use(commandClient(access));
  const acts = await openActsAfter(client, how);
  return untilEnd(acts, stack.move());
}

async function* untilEnd<T>(values: AsyncIterable<T>, resources: AsyncDisposable): AsyncIterable<T> {
  await using _resources = resources;
  yield* values;
}

async function fateOf(name: string): Promise<Fate> {
  const instance = new Instance(name);
  if (!instance.exists) return 'deleted';
  const state = stateFrom(await readFacts(instance));
  return state === 'stopped' || state === 'crashed' || state === 'damaged' ? 'stopped' : 'expected';
}

function filterFrom(objects: readonly string[], { namespace, component, all }: WatchFlags): ActFilter {
  const words = component?.split(',') ?? [];
  const components = words.filter((word) => word !== 'you');
  const users = words.length > components.length ? [identities.admin.name] : [];
  return { namespace, objects, components, users, all };
}

/** Asked for each act: a terminal may be drawn wider meanwhile. */
function renderOptions({ namespace }: WatchFlags): () => RenderOptions {
  const { stdout } = process;
  return () => ({
    you: identities.admin.name,
    namespace: namespace || undefined,
    width: stdout.isTTY ? stdout.columns : undefined,
    hasColours: stdout.isTTY === true && stdout.hasColors(),
    timeOf: localTime,
  });
}

function localTime(time: string): string {
  const date = new Date(time);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function explained(error: unknown, what: string): unknown {
  if (isNotFound(error)) {
    return new OperationError({
      code: 'no-acts',
      message: `${what} does not tell its acts`,
      fix: 'watch needs an API server of timonier',
      cause: error,
    });
  }
  if (isStatusError(error)) {
    const fix = error.code === 403 ? 'use the administrator’s kubeconfig' : 'timonier watch --help says what can be asked';
    return new OperationError({ code: 'refused', message: error.message, fix, exitCode: error.code === 400 ? 2 : 1 });
  }
  return new OperationError({
    code: 'broken-off',
    message: `${what} does not answer any more`,
    fix: 'timonier status says how it is',
    cause: error,
  });
}
