/**
 * What `kubectl logs` shows: which container's log, from where, and how its lines look.
 * Upstream: pkg/kubelet/kubelet_pods.go (validateContainerLogStatus), k8s.io/cri-client/pkg/logs/logs.go.
 */
import type { Pod, PodStatus } from '../../../api/generated/core-v1.ts';
import type { Clock } from '../../../client/clock.ts';
import type { FileGate } from '../../files/file-gate.ts';
import { type ContainerRuntime, isRuntimeError } from '../../runtime/container-runtime.ts';
import { bareContainerID } from '../container/container-identity.ts';
import { type CRILogEntry, LineSplitter, parseLogLine } from '../container/cri-log.ts';
import { readLogFile } from './log-source.ts';

export interface LogOptions {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly sinceMs?: number | undefined;
  readonly tailLines?: number | undefined;
  readonly limitBytes?: number | undefined;
  readonly stream: 'All' | 'Stdout' | 'Stderr';
}

/** Throws for a query that is none. */
export function parseLogOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const number = (name: string): number | undefined => {
    const text = query.get(name);
    if (text === null || text === '') return undefined;
    if (!/^\d+$/.test(text)) throw new Error(`invalid ${name}`);
    return Number(text);
  };
  const flag = (name: string): boolean => ['true', '1', 't', 'TRUE', 'True'].includes(query.get(name) ?? '');
  const sinceSeconds = number('sinceSeconds');
  const sinceTime = query.get('sinceTime');
  const sinceMs = sinceTime ? Date.parse(sinceTime) : sinceSeconds === undefined ? undefined : nowMs - sinceSeconds * 1000;
  if (sinceMs !== undefined && Number.isNaN(sinceMs)) throw new Error('invalid sinceTime');
  const stream = query.get('stream') || 'All';
  if (stream !== 'All' && stream !== 'Stdout' && stream !== 'Stderr') throw new Error('invalid stream');
  return {
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    sinceMs,
    tailLines: number('tailLines'),
    limitBytes: number('limitBytes'),
    stream,
  };
}

/** The id of the container whose log is meant. Throws in upstream's wording when there is none. */
export function chooseLogContainer(
  podName: string,
  status: PodStatus,
  at: { readonly container: string; readonly previous: boolean },
): string {
  const { container, previous } = at;
  const statuses = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  const found = statuses.find((s) => s.name === container);
  const where = `container "${container}" in pod "${podName}"`;
  if (!found) throw new Error(`${where} is not available`);
  const last = found.lastState?.terminated;
  const { running, terminated, waiting } = found.state ?? {};
  if (previous) {
    if (!last?.containerID) throw new Error(`previous terminated ${where} not found`);
    return bareContainerID(last.containerID);
  }
  const id = running ? found.containerID : terminated ? terminated.containerID || last?.containerID : last?.containerID;
  if (id) return bareContainerID(id);
  if (terminated || last) throw new Error(`${where} is terminated`);
  if (waiting?.reason === 'ErrImagePull') throw new Error(`${where} is waiting to start: image can't be pulled`);
  if (waiting?.reason === 'ImagePullBackOff') throw new Error(`${where} is waiting to start: trying and failing to pull image`);
  if (waiting) throw new Error(`${where} is waiting to start: ${waiting.reason ?? ''}`);
  throw new Error(`${where} is waiting to start - no logs yet`);
}

export interface LogRequest {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly gate: FileGate;
  readonly pod: Pod;
  readonly containerID: string;
  readonly options: LogOptions;
  readonly signal: AbortSignal;
}

export async function* containerLog(request: LogRequest): AsyncGenerator<Buffer> {
  const { options } = request;
  const splitter = new LineSplitter();
  const render = new LineRenderer(options);
  let linesLeft = options.follow ? Number.POSITIVE_INFINITY : (options.tailLines ?? Number.POSITIVE_INFINITY);
  for await (const chunk of logBytes(request)) {
    const out: Buffer[] = [];
    for (const line of splitter.push(chunk)) {
      if (linesLeft-- <= 0) break;
      const entry = parseLogLine(line);
      if (entry) out.push(...render.push(entry));
      if (render.full) break;
    }
    if (out.length > 0) yield Buffer.concat(out);
    if (render.full || linesLeft <= 0) return;
  }
}

/** As entries come: since, stream, time, limit. */
class LineRenderer {
  readonly #options: LogOptions;
  #left: number;
  #newLine = true;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  get full(): boolean {
    return this.#left <= 0;
  }

  *push(entry: CRILogEntry): Generator<Buffer> {
    const { sinceMs, stream, timestamps } = this.#options;
    const begins = this.#newLine;
    this.#newLine = !entry.partial;
    if (sinceMs !== undefined && timeOf(entry.time) < sinceMs) return;
    if (stream !== 'All' && stream.toLowerCase() !== entry.stream) return;
    const prefix = timestamps && begins ? `${fixedTime(entry.time)} ` : '';
    const text = Buffer.concat([Buffer.from(prefix), entry.text, ...(entry.partial ? [] : [newline])]);
    const cut = text.length > this.#left ? text.subarray(0, this.#left) : text;
    this.#left -= cut.length;
    yield cut;
  }
}

const newline = Buffer.from('\n');

/** Milliseconds with fractions: the log's times are finer. */
function timeOf(text: string): number {
  const match = /^(.*?)(\.\d+)?(Z|[-+]\d\d:\d\d)$/.exec(text);
  if (!match) return Number.NaN;
  return Date.parse(`${match[1]}${match[3]}`) + Number(match[2] ?? 0) * 1000;
}

/** With nine digits after the point. */
function fixedTime(text: string): string {
  const match = /^(.*?)(?:\.(\d+))?(Z|[-+]\d\d:\d\d)$/.exec(text);
  return match ? `${match[1]}.${(match[2] ?? '').padEnd(9, '0')}${match[3]}` : text;
}

async function* logBytes({ runtime, clock, gate, containerID, options, signal }: LogRequest): AsyncGenerator<Buffer> {
  const { follow, tailLines } = options;
  const { simulation } = runtime;
  if (simulation) {
    yield* tail(() => simulation.logs(containerID, { follow: false }), simulation.logs(containerID, { follow, signal }), tailLines);
    return;
  }
  const { logPath } = await runtime.containerStatus(containerID);
  const isRunning = async (): Promise<boolean> => {
    try {
      return (await runtime.containerStatus(containerID)).state === 'CONTAINER_RUNNING';
    } catch (error) {
      return isRuntimeError(error, 'Unavailable');
    }
  };
  yield* readLogFile(logPath, { follow, clock, gate, signal, isRunning, tailLines });
}

/** The end of what there is already, and all that comes. */
async function* tail(soFar: () => AsyncIterable<Buffer>, stream: AsyncIterable<Buffer>, lines: number | undefined): AsyncGenerator<Buffer> {
  let skip = 0;
  if (lines !== undefined) {
    for await (const chunk of soFar()) skip += chunk.toString('latin1').split('\n').length - 1;
    skip = Math.max(0, skip - lines);
  }
  const splitter = new LineSplitter();
  for await (const chunk of stream) {
    const kept: Buffer[] = [];
    for (const line of splitter.push(chunk)) if (skip-- <= 0) kept.push(line, newline);
    if (kept.length > 0) yield Buffer.concat(kept);
  }
}
