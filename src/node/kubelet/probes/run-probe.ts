/**
 * Asks a container once: by a command, a GET, a TCP connection or the gRPC health service. A rejected promise means that
 * the question could not be put (the result is thrown away); everything else is an answer, time-outs among them.
 * Upstream: pkg/kubelet/prober/prober.go, pkg/probe/{exec,http,tcp,grpc}.
 */
import { connect } from 'node:net';
import type { Container, GRPCAction, Probe, TCPSocketAction } from '../../../api/generated/core-v1.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import type { Clock } from '../../../client/clock.ts';
import { type ContainerRuntime, isRuntimeError } from '../../runtime/container-runtime.ts';
import type { ExecSyncResponse } from '../../runtime/cri-types.ts';
import { expandStaticCommand } from '../container/container-environment.ts';
import { grpcHealthProbe } from './grpc-health.ts';
import { describeConnectError, httpGet, planHTTPGet, resolvePort, UnfinishedAnswerError } from './http-get.ts';

export type ProbeType = 'liveness' | 'readiness' | 'startup';
export interface ProbeResult {
  readonly result: 'success' | 'warning' | 'failure' | 'unknown';
  readonly output: string;
}

export interface ProbeTarget {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly container: Container;
  readonly containerID: string;
  readonly podIP: string;
  readonly signal: AbortSignal;
}

/** of what a container says, whichever way it is asked */
export const outputBytesMax = 10 * 1024;

/** The beginning of what a command said. */
export const execOutput = ({ stdout, stderr }: ExecSyncResponse): string =>
  Buffer.concat([stdout.subarray(0, outputBytesMax), stderr.subarray(0, outputBytesMax)]).toString('utf8', 0, outputBytesMax);

export async function runProbe(type: ProbeType, probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const { result, output } = await ask(type, probe, target);
  return { result, output: output.slice(0, outputBytesMax) };
}

async function ask(type: ProbeType, probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const { runtime, containerID } = target;
  const timeoutSeconds = probe.timeoutSeconds ?? 1;
  if (runtime.simulation) {
    const { success, message } = runtime.simulation.probe({ containerId: containerID, type });
    return { result: success ? 'success' : 'failure', output: message };
  }
  if (probe.exec) return await execProbe(expandStaticCommand(probe.exec.command, target.container), timeoutSeconds, target);
  using limit = timeLimit(target, timeoutSeconds);
  if (probe.httpGet) {
    const get = planHTTPGet(probe.httpGet, target.container, { podIP: target.podIP, purpose: 'probe' });
    return await httpProbe(get, limit.signal);
  }
  if (probe.tcpSocket) return await tcpProbe(probe.tcpSocket, target, limit.signal);
  if (probe.grpc) return await grpcProbe(probe.grpc, target, { timeoutSeconds, signal: limit.signal });
  throw new Error(`missing probe handler for ${target.container.name}`);
}

function timeLimit({ clock, signal }: ProbeTarget, seconds: number): Disposable & { readonly signal: AbortSignal } {
  const expired = new AbortController();
  const timer = clock.setTimeout(() => expired.abort(new Error('timeout')), seconds * 1000);
  return { signal: AbortSignal.any([signal, expired.signal]), [Symbol.dispose]: () => timer.cancel() };
}

async function execProbe(
  command: readonly string[],
  timeoutSeconds: number,
  { runtime, containerID, signal }: ProbeTarget,
): Promise<ProbeResult> {
  try {
    const answer = await runtime.execSync({ containerId: containerID, cmd: command, timeoutSeconds }, { signal });
    return { result: answer.exitCode === 0 ? 'success' : 'failure', output: execOutput(answer) };
  } catch (error) {
    if (!isRuntimeError(error, 'DeadlineExceeded')) throw error;
    return { result: 'failure', output: `command timed out: "${command.join(' ')}" timed out after ${timeoutSeconds}s` };
  }
}

async function httpProbe(get: Parameters<typeof httpGet>[0], signal: AbortSignal): Promise<ProbeResult> {
  try {
    const { statusCode, body } = await httpGet(get, signal);
    if (statusCode >= 300 && statusCode < 400) return { result: 'warning', output: `Probe terminated redirects, Response body: ${body}` };
    if (statusCode >= 200 && statusCode < 300) return { result: 'success', output: body };
    return { result: 'failure', output: `HTTP probe failed with statuscode: ${statusCode}` };
  } catch (error) {
    if (error instanceof UnfinishedAnswerError) throw error;
    return { result: 'failure', output: messageOf(error) };
  }
}

async function tcpProbe(action: TCPSocketAction, { container, podIP }: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const port = resolvePort(action.port, container);
  const host = action.host || podIP;
  return await new Promise((resolve) => {
    const socket = connect({ host, port, signal });
    socket.on('connect', () => {
      socket.destroy();
      resolve({ result: 'success', output: '' });
    });
    socket.on('error', (error) => {
      const address = `${host}:${port}`;
      resolve({ result: 'failure', output: signal.aborted ? `dial tcp ${address}: i/o timeout` : describeConnectError(address, error) });
    });
  });
}

async function grpcProbe(
  action: GRPCAction,
  { podIP }: ProbeTarget,
  limit: { readonly timeoutSeconds: number; readonly signal: AbortSignal },
): Promise<ProbeResult> {
  const { ok, message } = await grpcHealthProbe({ host: podIP, port: action.port, service: action.service ?? '', ...limit });
  return { result: ok ? 'success' : 'failure', output: message };
}
