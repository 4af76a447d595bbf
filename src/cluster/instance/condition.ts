/**
 * What a cluster of this machine is doing, from what its directory holds and which processes there are. Nobody is
 * asked, so it costs little and can't hang; what only the API server knows is in status.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseTime } from '../../api/meta/time.ts';
import { isAlive, type KnownProcess, processStat } from '../../client/processes.ts';
import { diskRoomBytes, diskRoomBytesMin } from '../../control-plane/store/disk-room.ts';
import { shimsOf } from '../../node/runtime/processes.ts';
import { describeError, OperationError } from '../operation-error.ts';
import { checkParts } from '../settings/parts.ts';
import { containerdOf, type Instance, type InstanceState, nodeDirs } from './instance.ts';
import { startedOf, startedProcess } from './started-processes.ts';
import { isFirstStart, type LeftProcess, readLeftProcess, readSupervision, type Supervision } from './supervision.ts';

/**
 * `crashed`: its process died, and nothing will start it again. `paused`: its process is stopped by a signal.
 * `damaged`: a file says nonsense. `disk-full`: it runs, and can't write.
 */
export type ClusterState = 'running' | 'disk-full' | 'paused' | 'starting' | 'restarting' | 'stopping' | 'stopped' | 'crashed' | 'damaged';

export interface Facts {
  /** of the process that serves it */
  readonly serving?: InstanceState | undefined;
  readonly isPaused?: boolean | undefined;
  readonly isDiskFull?: boolean | undefined;
  /** its supervisor died */
  readonly isUnsupervised?: boolean | undefined;
  readonly supervision?: Supervision | undefined;
  /** a process without supervisor that is not ready */
  readonly left?: LeftProcess | undefined;
  /** `run` that is not ready */
  readonly inForeground?: KnownProcess | undefined;
  /** of a process that did not end well */
  readonly died?: InstanceState | undefined;
  /** the machine was started since */
  readonly diedWithMachine?: boolean | undefined;
  /** that run while no process serves the cluster */
  readonly leftPods?: number | undefined;
  readonly damage?: OperationError | undefined;
  /** the `ci` that made it was killed, and nothing else takes it along */
  readonly isAbandoned?: boolean | undefined;
}

export function stateFrom(facts: Facts): ClusterState {
  if (facts.damage) return 'damaged';
  if (facts.serving) {
    if (facts.isPaused) return 'paused';
    if (facts.serving.stopping) return 'stopping';
    return facts.isDiskFull ? 'disk-full' : 'running';
  }
  if (facts.supervision) return isFirstStart(facts.supervision) ? 'starting' : 'restarting';
  if (facts.left || facts.inForeground) return 'starting';
  return (facts.died && !facts.diedWithMachine) || facts.leftPods ? 'crashed' : 'stopped';
}

export async function readFacts(instance: Instance): Promise<Facts> {
  return { ...(await factsOf(instance)), isAbandoned: isAbandoned(instance) };
}

function isAbandoned(instance: Instance): boolean {
  try {
    const ci = instance.readSettings()?.ci;
    return ci !== undefined && !isAlive(ci);
  } catch {
    return false; // damaged, which is told
  }
}

async function factsOf(instance: Instance): Promise<Facts> {
  const { dir } = instance;
  const supervision = readSupervision(dir);
  const left = supervision ? undefined : readLeftProcess(dir);
  const inForeground = supervision || left ? undefined : instance.startingInForeground;
  const starting = { supervision, left, inForeground };
  try {
    const serving = instance.running();
    if (serving) {
      const isDiskFull = diskRoomBytes(dir) < diskRoomBytesMin;
      const isUnsupervised = !supervision && startedProcess(serving.pid) !== undefined;
      return { serving, isPaused: processStat(serving.pid)?.state === 'T', isDiskFull, isUnsupervised, ...starting };
    }
    if (supervision || left || inForeground) return starting;
    const damage = damageOf(instance) ?? (await contentDamageOf(instance));
    if (damage) return { damage };
    const died = instance.readState();
    return { died, diedWithMachine: died && isBeforeBoot(died), leftPods: countPods(dir) };
  } catch (error) {
    if (error instanceof OperationError) return { damage: error, ...starting };
    throw error;
  }
}

/** What `up` would refuse, though nothing says that it runs. */
function damageOf(instance: Instance): OperationError | undefined {
  const [started] = instance.isStarting ? [] : startedOf(instance);
  const isGone = !existsSync(instance.dir);
  if (started) {
    const fix = isGone ? `timonier delete ${instance.name}` : `timonier down ${instance.name}, then timonier up ${instance.name}`;
    const gone = isGone ? instance.dir : `what tells of it in ${instance.dir}`;
    return new OperationError({ code: 'files-gone', message: `process ${started.pid} runs, and ${gone} is gone`, fix });
  }
  if (isGone || !(instance.exists || existsSync(instance.logFile))) {
    const fix = `mount it, or put it back from a copy; or timonier delete ${instance.name}`;
    return new OperationError({ code: 'directory-gone', message: `${isGone ? '' : 'what was in '}${instance.dir} is gone`, fix });
  }
  checkParts(instance, instance.readSettings());
  return undefined;
}

/** Of what a start would refuse, what a look shows that costs little; where it may not look, nothing. */
async function contentDamageOf({ dir }: Instance): Promise<OperationError | undefined> {
  if (!existsSync(join(dir, 'store'))) return undefined;
  const [{ checkStoreFile }, { checkKeys, directoryFiles }] = await Promise.all([
    import('../../control-plane/store/store-file.ts'),
    import('../../control-plane/pki/cluster-pki.ts'),
  ]);
  try {
    checkStoreFile(join(dir, 'store'), 'its beginning');
    checkKeys(directoryFiles(join(dir, 'pki')));
    return undefined;
  } catch (error) {
    const { explainFailure } = await import('../machine/explain-failure.ts');
    const { code = '', fix } = explainFailure(error) ?? {};
    return code.endsWith('-damaged') ? new OperationError({ code, message: describeError(error), fix, isWhole: true }) : undefined;
  }
}

/** Each pod has one shim. */
const countPods = (dir: string): number => nodeDirs(dir).flatMap((node) => shimsOf(containerdOf(node).socket)).length;

function isBeforeBoot({ startedAt }: InstanceState): boolean {
  try {
    const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
    return (parseTime(startedAt) ?? 0) < bootSeconds * 1000;
  } catch {
    return false; // no /proc: then there are no pods of ours either
  }
}
