/**
 * Runs a lifecycle hook of a container: a command in it, a GET, or a sleep. Rejects when it failed.
 * Upstream: pkg/kubelet/lifecycle/handlers.go.
 */
import type { Container, LifecycleHandler, Pod } from '../../../api/generated/core-v1.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import type { Clock } from '../../../client/clock.ts';
import type { EventRecorder } from '../../../client/events/event-recorder.ts';
import type { ContainerRuntime } from '../../runtime/container-runtime.ts';
import { describePod } from '../pod/plan-pod.ts';
import { type HTTPGet, httpGet, isPlainHTTP, planHTTPGet, UnfinishedAnswerError } from '../probes/http-get.ts';
import { execOutput } from '../probes/run-probe.ts';

export interface HookContext {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly pod: Pod;
  readonly container: Container;
  readonly containerID: string;
  readonly podIP: string | undefined;
  /** ends with the grace period */
  readonly signal: AbortSignal;
}

export async function runHook(handler: LifecycleHandler, context: HookContext): Promise<void> {
  const { container, pod } = context;
  const where = `for Container "${container.name}" in Pod "${describePod(pod)}" failed - error`;
  if (handler.exec) return await runExec(handler.exec.command ?? [], where, context);
  if (handler.httpGet) {
    try {
      return await runHTTP(handler.httpGet, context);
    } catch (error) {
      throw new Error(`HTTP lifecycle hook (${handler.httpGet.path}) ${where}: ${messageOf(error)}`, { cause: error });
    }
  }
  if (handler.sleep) {
    if (handler.sleep.seconds > 0) await context.clock.sleep(handler.sleep.seconds * 1000, context.signal);
    return;
  }
  throw new Error(`Cannot run handler: invalid handler: ${JSON.stringify(handler)}`);
}

async function runExec(command: readonly string[], where: string, { runtime, containerID, signal }: HookContext): Promise<void> {
  const describe = (why: string, output: string): string =>
    `Exec lifecycle hook ([${command.join(' ')}]) ${where}: ${why}, message: ${JSON.stringify(output)}`;
  let answer: Awaited<ReturnType<ContainerRuntime['execSync']>>;
  try {
    answer = await runtime.execSync({ containerId: containerID, cmd: command, timeoutSeconds: 0 }, { signal, timeoutMs: hookMsMax });
  } catch (error) {
    throw new Error(describe(messageOf(error), ''), { cause: error });
  }
  if (answer.exitCode === 0) return;
  const output = execOutput(answer);
  throw new Error(describe(`command '${command.join(' ')}' exited with ${answer.exitCode}: ${output}`, output));
}

/** No hook lives longer, whatever the grace period. */
const hookMsMax = 24 * 3_600_000;

/** Any answer will do. What speaks plain HTTP where HTTPS was asked for is asked again so. */
async function runHTTP(action: NonNullable<LifecycleHandler['httpGet']>, context: HookContext): Promise<void> {
  const { container, podIP, runtime, signal } = context;
  if (runtime.simulation) return;
  if (!action.host && podIP === undefined) throw new Error('failed to find networking container');
  const get = planHTTPGet(action, container, { podIP: podIP ?? '', purpose: 'lifecycle' });
  try {
    await askAnything(get, signal);
  } catch (error) {
    if (get.url.protocol !== 'https:' || !isPlainHTTP(error)) throw error;
    const url = new URL(get.url);
    url.protocol = 'http:';
    const headers = Object.fromEntries(Object.entries(get.headers).filter(([name]) => name.toLowerCase() !== 'authorization'));
    await askAnything({ url, headers }, signal);
    const message = `request to HTTPS lifecycle hook ${get.url.host} got HTTP response, retry with HTTP succeeded`;
    context.events.event(context.pod, 'Warning', 'LifecycleHTTPFallback', message);
  }
}

async function askAnything(get: HTTPGet, signal: AbortSignal): Promise<void> {
  try {
    await httpGet(get, signal);
  } catch (error) {
    if (!(error instanceof UnfinishedAnswerError)) throw error;
  }
}
