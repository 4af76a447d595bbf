/**
 * One probe of one container: when to ask, and what the answers amount to. A container that starts is asked after its
 * initial delay, then every period; a verdict changes when its threshold of equal answers is reached. A failed liveness
 * probe and a decided startup probe rest until there is a new container; the others rest until the startup probe
 * has succeeded.
 * Upstream: pkg/kubelet/prober/worker.go.
 */
import type { Container, Pod, Probe } from '../../../api/generated/core-v1.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import type { Clock, Random, Timer } from '../../../client/clock.ts';
import { detach } from '../../../client/detached.ts';
import type { EventRecorder } from '../../../client/events/event-recorder.ts';
import type { Log } from '../../../client/log.ts';
import type { ContainerRuntime } from '../../runtime/container-runtime.ts';
import { containerFieldPath } from '../container/container-identity.ts';
import type { ProbeVerdict } from '../pod/plan-pod.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import { UnfinishedAnswerError } from './http-get.ts';
import { type ProbeResult, type ProbeType, runProbe } from './run-probe.ts';

export interface ProbeEnvironment {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly events: EventRecorder;
  readonly log: Log;
  /** when this kubelet started: what runs longer was taken over from the one before */
  readonly startedAtMs: number;
}

/** The running container that is probed. */
export interface ProbedContainer {
  readonly id: string;
  readonly startedAtMs: number;
  readonly podIP: string;
  /** its startup probe has succeeded, or it has none */
  readonly started: boolean;
  /** what the API last said of it: kept over a restart of the kubelet */
  readonly told: { readonly started: boolean; readonly ready: boolean };
}

const retriesMax = 3;
const initialVerdicts: Record<ProbeType, ProbeVerdict> = { readiness: 'failure', liveness: 'success', startup: 'unknown' };
const title: Record<ProbeType, string> = { readiness: 'Readiness', liveness: 'Liveness', startup: 'Startup' };

export class ProbeWorker implements Disposable {
  readonly #environment: ProbeEnvironment;
  readonly #type: ProbeType;
  readonly #onVerdict: () => void;
  readonly #stop = new AbortController();
  #pod: Pod;
  #container: Container;
  #probe: Probe;
  #target: ProbedContainer | undefined;
  #verdict: ProbeVerdict | undefined;
  #last: 'success' | 'failure' | undefined;
  #runLength = 0;
  #resting = false;
  #asking = false;
  #timer: Timer | undefined;
  /** how often it was answered, and how */
  readonly counts = { successful: 0, failed: 0 };

  constructor(
    environment: ProbeEnvironment,
    at: { readonly type: ProbeType; readonly pod: Pod; readonly container: Container; readonly probe: Probe },
    onVerdict: () => void,
  ) {
    this.#environment = environment;
    this.#type = at.type;
    this.#pod = at.pod;
    this.#container = at.container;
    this.#probe = at.probe;
    this.#onVerdict = onVerdict;
  }

  /** undefined: nothing is known of that container */
  verdict(containerID: string): ProbeVerdict | undefined {
    return this.#target?.id === containerID ? this.#verdict : undefined;
  }

  /** What the pod looks like now; `target` is absent while the container does not run. */
  update(at: { readonly pod: Pod; readonly container: Container; readonly probe: Probe }, target: ProbedContainer | undefined): void {
    this.#pod = at.pod;
    this.#container = at.container;
    this.#probe = at.probe;
    const before = this.#target;
    if (!target) {
      if (before) this.#verdict = 'failure';
      this.#disarm();
      return;
    }
    this.#target = target;
    if (before?.id !== target.id) this.#begin(target);
    const waits = this.#type === 'startup' ? target.started : !target.started;
    if (waits || this.#resting) this.#disarm();
    else if (!this.#timer && !this.#asking) this.#arm(this.#firstDelayMs(target));
  }

  /** Of whom it asks, as metrics name it. */
  get labels(): Readonly<Record<string, string>> {
    const { name: pod, namespace, uid } = this.#pod.metadata;
    return { probe_type: title[this.#type], container: this.#container.name, pod, namespace, pod_uid: uid };
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#disarm();
  }

  #begin(target: ProbedContainer): void {
    const { told } = target;
    const kept = this.#adopted(target) && (this.#type === 'readiness' ? told.ready : told.started);
    this.#verdict = kept ? 'success' : initialVerdicts[this.#type];
    this.#last = undefined;
    this.#runLength = 0;
    this.#resting = false;
    this.#disarm();
  }

  /** Start times are told in whole seconds. */
  #adopted(target: ProbedContainer): boolean {
    return target.startedAtMs + 1000 <= this.#environment.startedAtMs;
  }

  #firstDelayMs(target: ProbedContainer): number {
    const { clock, random } = this.#environment;
    const initialMs = target.startedAtMs + (this.#probe.initialDelaySeconds ?? 0) * 1000 - clock.now();
    const spreadMs = this.#adopted(target) ? random.next() * this.#periodMs() : 0;
    return Math.max(0, initialMs, spreadMs);
  }

  #periodMs(): number {
    return (this.#probe.periodSeconds ?? 10) * 1000;
  }

  #arm(delayMs: number): void {
    if (this.#stop.signal.aborted) return;
    this.#timer = this.#environment.wheel.setTimeout(() => {
      this.#timer = undefined;
      detach(
        () => this.#ask(),
        (error) => this.#environment.log.error({ error, pod: this.#pod.metadata.name }, 'a probe failed by a fault of the kubelet'),
      );
    }, delayMs);
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #ask(): Promise<void> {
    const target = this.#target;
    if (!target || this.#asking) return;
    const { clock } = this.#environment;
    const nextMs = clock.monotonic() + this.#periodMs();
    this.#asking = true;
    const answer = await this.#askWithRetries(target);
    this.#asking = false;
    const now = this.#target;
    if (!now || this.#stop.signal.aborted) return;
    const same = now.id === target.id;
    const changed = same && answer !== undefined && this.#count(answer);
    const waits = this.#type === 'startup' ? now.started : !now.started;
    if (!this.#resting && !waits && !this.#timer) this.#arm(same ? nextMs - clock.monotonic() : this.#firstDelayMs(now));
    if (changed) this.#onVerdict();
  }

  /** undefined: the question could not be put */
  async #askWithRetries(target: ProbedContainer): Promise<'success' | 'failure' | undefined> {
    const { runtime, clock, events, log } = this.#environment;
    const tell = (reason: string, message: string): void =>
      events.event(this.#pod, 'Warning', reason, message, containerFieldPath(this.#pod, this.#container.name));
    let failed: unknown;
    for (let tries = 0; tries < retriesMax && !this.#stop.signal.aborted; tries++) {
      let answer: ProbeResult;
      try {
        answer = await runProbe(this.#type, this.#probe, {
          runtime,
          clock,
          container: this.#container,
          containerID: target.id,
          podIP: target.podIP,
          signal: this.#stop.signal,
        });
      } catch (error) {
        failed = error;
        continue;
      }
      if (this.#stop.signal.aborted) return undefined;
      if (answer.result === 'success') return 'success';
      if (answer.result === 'warning') {
        tell('ProbeWarning', `${title[this.#type]} probe warning: ${answer.output}`);
        return 'success';
      }
      tell('Unhealthy', `${title[this.#type]} probe failed: ${answer.output}`);
      return 'failure';
    }
    if (this.#stop.signal.aborted || this.#target?.id !== target.id) return undefined;
    log.debug({ error: failed, probe: this.#type, container: this.#container.name }, 'probe could not be made');
    const why = messageOf(failed);
    const state = failed instanceof UnfinishedAnswerError ? 'failure' : 'unknown';
    tell('Unhealthy', `${title[this.#type]} probe errored and resulted in ${state} state: ${why}`);
    return undefined;
  }

  /** True when the verdict changed. */
  #count(answer: 'success' | 'failure'): boolean {
    this.counts[answer === 'success' ? 'successful' : 'failed']++;
    this.#runLength = this.#last === answer ? this.#runLength + 1 : 1;
    this.#last = answer;
    const threshold = answer === 'success' ? (this.#probe.successThreshold ?? 1) : (this.#probe.failureThreshold ?? 3);
    if (this.#runLength < threshold) return false;
    const changed = this.#verdict !== answer;
    this.#verdict = answer;
    if (this.#type === 'startup' || (this.#type === 'liveness' && answer === 'failure')) {
      this.#resting = true;
      this.#runLength = 0;
    }
    return changed;
  }
}
