/**
 * How a simulated container behaves, as its pod's annotations say, else as its command line tells (simulated-command.ts).
 * Without either it starts after 100 ms, is ready, and runs until it is stopped; one that is expected to end (an init
 * container, or one of a pod whose restartPolicy is Never or OnFailure) runs for a second and exits with 0.
 *
 * The vocabulary, all under `timonier.dev/`. Each word may end in `.CONTAINER` to mean one container only, which wins
 * over the word for all of them. Durations are Go's: `90s`, `1m30s`, `250ms`.
 *
 *   start-delay: 3s          from the start of the container until it runs
 *   start-error: MESSAGE     it can't be started (RunContainerError)
 *   run-for: 5s              it ends by itself after that; `forever` keeps even an expected end away
 *   exit-code: "1"           what it ends with; given alone, it ends after a second
 *   exit-reason: OOMKilled   default: Completed for 0, else Error
 *   stop-after: 2s           from the stop signal until it ends (killed when the grace period is over); default at once
 *   probe: RULES             every probe; probe-liveness, probe-readiness and probe-startup mean one type
 *   exec-exit-code: "1"      what a command run in it ends with (kubectl exec, lifecycle hooks), and
 *   exec-output: TEXT        what that command prints; without them the command tells, as the container's own does; one
 *                            that says nothing was not run (126, as of a shell), and succeeds as a hook
 *   log: TEXT                its log, a line each; default: what it echoes, else one line that names the container
 *   cpu: 250m                what it uses, for the metrics, also over time (usage-model.ts): `wave 100m..900m every 20m`,
 *   memory: 64Mi             `ramp 64Mi..1Gi in 5m`, `series 0s=100m,5m=900m`; defaults 1m and 8Mi
 *   load: 3                  in place of cpu: what all running containers of that name and of pods with the same labels
 *                            (but for those of one revision or pod) have to do together, shared equally; since the first
 *
 * RULES is `pass` (the default), `fail`, or a list of changes since the container's start: `pass-after=5s,fail-after=1m`
 * fails, passes from 5 s on, and fails again from 1 m on.
 *
 * Images need no registry: every name can be pulled at once, except those of the registries in `failingRegistries`.
 */

import { parseDuration } from '../../api/meta/duration.ts';
import { own } from '../../api/meta/words.ts';
import type { ProbeAnswer, ProbeQuestion } from './container-runtime.ts';
import type { StringMap } from './cri-types.ts';
import { type CommandLine, readCommandLine } from './simulated-command.ts';
import { constant, parseUsage, type UsageModel } from './usage-model.ts';

const simulationPrefix = 'timonier.dev/';

/** An image whose name begins with one of these can't be pulled, for this reason. */
export const failingRegistries = {
  'not-found.timonier.dev/': { code: 'NotFound', message: 'not found' },
  'denied.timonier.dev/': {
    code: 'PermissionDenied',
    message: 'pull access denied, repository does not exist or may require authorization',
  },
  'unreachable.timonier.dev/': { code: 'Unavailable', message: 'dial tcp: connect: no route to host' },
} as const;

const startDelayMsDefault = 100;
const runForMsDefault = 1000;
const littleCPU = constant(0.001);
const littleMemory = constant(8 * 2 ** 20);

export interface SimulationScript {
  readonly startDelayMs: number;
  readonly startError?: string | undefined;
  /** absent: until it is stopped */
  readonly runForMs?: number | undefined;
  readonly exitCode: number;
  readonly exitReason: string;
  readonly stopAfterMs: number;
  readonly log?: string | undefined;
  /** cores */
  readonly cpu: UsageModel;
  /** bytes */
  readonly memory: UsageModel;
  /** cores of all together, as it is written too; absent: `cpu` says it */
  readonly load?: { readonly text: string; readonly model: UsageModel } | undefined;
}

/** A word that can't be read is as if it were absent: annotations are free text. */
export function planSimulation(
  annotations: StringMap,
  container: CommandLine & { readonly name: string; readonly runsToCompletion: boolean },
): SimulationScript {
  const word = reader(annotations, container.name);
  const saidCode = word('exit-code');
  // An exit code alone ends it, whatever the command line says.
  const life = saidCode === undefined ? readCommandLine(container) : undefined;
  const exitCode = Number.parseInt(saidCode ?? '', 10) || (life?.exitCode ?? 0);
  const ends = container.runsToCompletion || saidCode !== undefined;
  const ownMs = life?.runForMs ?? (ends ? runForMsDefault : 'forever');
  const runFor = word('run-for');
  const runForMs = runFor === 'forever' ? runFor : (parseDuration(runFor) ?? ownMs);
  return {
    startDelayMs: parseDuration(word('start-delay')) ?? startDelayMsDefault,
    startError: word('start-error'),
    runForMs: runForMs === 'forever' ? undefined : runForMs,
    exitCode,
    exitReason: word('exit-reason') ?? (exitCode === 0 ? 'Completed' : 'Error'),
    stopAfterMs: parseDuration(word('stop-after')) ?? 0,
    log: word('log') ?? (life?.output || undefined),
    cpu: parseUsage(word('cpu')) ?? littleCPU,
    memory: parseUsage(word('memory')) ?? littleMemory,
    load: loadOf(word('load')),
  };
}

function loadOf(text: string | undefined): SimulationScript['load'] {
  const model = parseUsage(text);
  return text !== undefined && model ? { text, model } : undefined;
}

/** A shell's, of a command that is there and can't be run. */
const notRunExitCode = 126;

export interface SimulatedExec {
  /** what it would do can be told */
  readonly isKnown: boolean;
  /** it gives back what it gets */
  readonly isCat: boolean;
  /** may be infinite */
  readonly runForMs: number;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command does that is run in a container. */
export function planExec(annotations: StringMap, containerName: string, command: readonly string[]): SimulatedExec {
  const word = reader(annotations, containerName);
  const [code, output] = [word('exec-exit-code'), word('exec-output')];
  const life = readCommandLine({ command });
  const isCat = command.length === 1 && command[0] === 'cat';
  const copies = command[0] === 'tar'; // kubectl cp
  const isKnown = isCat || life !== undefined || code !== undefined || output !== undefined;
  return {
    isKnown,
    isCat,
    runForMs: life?.runForMs === 'forever' ? Number.POSITIVE_INFINITY : (life?.runForMs ?? 0),
    exitCode: code === undefined ? (life?.exitCode ?? (isKnown ? 0 : copies ? 1 : notRunExitCode)) : Number.parseInt(code, 10) || 0,
    stdout: output ?? (life?.output ? `${life.output}\n` : ''),
    stderr: isKnown ? '' : `this container is simulated: ${copies ? 'it has no files to copy' : `${command.join(' ')} was not run`}\n`,
  };
}

/** What a probe answers `sinceStartMs` after the container's start. */
export function answerProbe(
  annotations: StringMap,
  containerName: string,
  probe: { readonly type: ProbeQuestion['type']; readonly sinceStartMs: number },
): ProbeAnswer {
  const word = reader(annotations, containerName);
  const rules = word(`probe-${probe.type}`) ?? word('probe') ?? 'pass';
  const success = passes(rules, probe.sinceStartMs);
  return { success, message: success ? 'simulated probe passed' : `simulated probe failed: ${rules}` };
}

function passes(rules: string, sinceStartMs: number): boolean {
  const changes = rules.split(',').map((rule) => {
    const [, verb, after] = /^(pass|fail)(?:-after=(.+))?$/.exec(rule.trim()) ?? [];
    return { passes: verb !== 'fail', atMs: after === undefined ? 0 : (parseDuration(after) ?? 0), timed: after !== undefined };
  });
  // before its first change a probe says the opposite of what the change makes of it
  const first = changes[0];
  let answer = first?.timed ? !first.passes : true;
  for (const change of changes) if (change.atMs <= sinceStartMs) answer = change.passes;
  return answer;
}

function reader(annotations: StringMap, containerName: string): (word: string) => string | undefined {
  return (word) => annotations[`${simulationPrefix}${word}.${containerName}`] ?? own(annotations, simulationPrefix + word);
}
