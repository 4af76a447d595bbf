/**
 * The processes that `up` left behind, found without any file of theirs: their command line names the cluster and its
 * directory. For a directory that was removed by hand, in whole or in part.
 *
 * Guarantees: only processes of this user that see the same processes and files as we do; one in a container, whose
 * directory may have the same name, is another machine's. Leaves out: `run` in the foreground. None where there is no /proc.
 */
import { readlinkSync, statSync } from 'node:fs';
import { commandLine, hasOurMounts, processIds } from '../../client/processes.ts';

export interface StartedProcess {
  readonly pid: number;
  readonly name: string;
  readonly dir: string;
  /** it starts the others again */
  readonly isSupervisor: boolean;
  /** where its context went when it was started */
  readonly kubeconfig: string | undefined;
}

/** Supervisors first. `args` is a command line as the kernel has it. Pure. */
export function parseCommandLine(pid: number, args: readonly string[]): StartedProcess | undefined {
  const run = args.findIndex((word, i) => word === 'run' && args[i + 2] === '--kept');
  const [, name = '', , ...flags] = run < 0 ? [] : args.slice(run);
  const dir = flagOf(flags, '--data-dir');
  if (dir === undefined) return undefined;
  return { pid, name, dir, isSupervisor: args[1]?.endsWith('supervise.sh') ?? false, kubeconfig: flagOf(flags, '--kubeconfig') };
}

const flagOf = (flags: readonly string[], name: string): string | undefined =>
  flags.includes(name) ? flags[flags.indexOf(name) + 1] : undefined;

export const allStarted = (): StartedProcess[] =>
  processIds()
    .filter((pid) => pid !== process.pid)
    .flatMap((pid) => startedProcess(pid) ?? [])
    .sort((a, b) => Number(b.isSupervisor) - Number(a.isSupervisor));

export const startedOf = ({ name, dir }: { readonly name: string; readonly dir: string }): StartedProcess[] =>
  allStarted().filter((each) => each.name === name && each.dir === dir);

export function startedProcess(pid: number): StartedProcess | undefined {
  try {
    const found = parseCommandLine(pid, commandLine(pid));
    return found && isOurs(pid) ? found : undefined;
  } catch {
    return undefined; // it ended meanwhile, or is another user's
  }
}

const isOurs = (pid: number): boolean =>
  statSync(`/proc/${pid}`).uid === process.getuid?.() &&
  hasOurMounts(pid) &&
  readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync('/proc/self/ns/pid');
