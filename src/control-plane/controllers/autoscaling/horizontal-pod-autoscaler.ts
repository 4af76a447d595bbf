/**
 * HorizontalPodAutoscalers: every 15 s, each looks at its metrics and sets the replicas of its target, whatever kind that
 * is, by the scale subresource. It goes by the metric that asks for most; when one can't be read, it still goes up by the
 * others, never down. `status.conditions` say why it does what it does.
 *
 * How many a metric asks for is in replica-count.ts, what the rules make of it in scaling-rules.ts.
 * Upstream: pkg/controller/podautoscaler/horizontal.go.
 */

import type { HorizontalPodAutoscalerCondition, MetricStatus } from '../../../api/generated/autoscaling-v2.ts';
import { HorizontalPodAutoscaler, Pod } from '../../../api/generated/kinds.ts';
import { withCondition, withoutCondition } from '../../../api/meta/conditions.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { groupOf, type KindRef, type KubeObject, keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { LabelMatcher, parseLabelSelector, SelectorError } from '../../../api/meta/selectors.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import { Pace } from '../../../api/meta/steps.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { type Controller, type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { type Discovery, discoverResources, resourceOf } from '../../../client/transport/discovery.ts';
import { nextTurn } from '../../../client/turns.ts';
import { countByMetric, MetricError } from './metric-count.ts';
import { decide, noHistory, remember, type ScalingHistory, withChange } from './scaling-rules.ts';

/** Upstream's --horizontal-pod-autoscaler-sync-period. */
const periodMs = 15_000;
const concurrency = 5;
const int32Max = 2 ** 31 - 1;
/** A selector may be as long as an object; it is said again every period. */
const selectorLengthMax = 256;
const messageLengthMax = 1024;
/** Terms that are looked at in one turn. */
const pace = new Pace(20_000);

const cut = (text: string, max = selectorLengthMax): string => (text.length > max ? `${text.slice(0, max)}…` : text);

interface Scale extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number; readonly selector?: string };
}

/** What is remembered of each, between two looks. */
interface Memory {
  readonly history: ScalingHistory;
  /** of its target's pods, as it is written */
  readonly text: string;
  readonly selector: LabelMatcher;
}

export function horizontalPodAutoscaling(): Controller {
  const memories = new Map<ObjectKey, Memory>();
  const discovered = new Discovered();
  return defineController({
    name: 'horizontal-pod-autoscaler',
    watches: [{ ...watched(HorizontalPodAutoscaler, keysOf), gatherMs: () => periodMs }, watched(Pod, () => [])],
    concurrency,
    async reconcile(key, io): Promise<Outcome> {
      const autoscaler = io.client.informer(HorizontalPodAutoscaler).get(key);
      if (!autoscaler) {
        memories.delete(key);
        return;
      }
      await new Look(autoscaler, { memories, discovered, io }).perform();
      return { requeueAfterMs: periodMs };
    },
  });
}

/** Its own writes of status are no reason to look again. */
const keysOf = (object: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler | undefined): readonly ObjectKey[] =>
  old && equalJson(old.spec, object.spec) ? [] : [keyOf(object)];

/** What is served, asked for once for all looks of a period. */
class Discovered {
  #last: { readonly atMs: number; readonly found: Promise<Discovery> } | undefined;

  get({ client, clock }: ControllerIO): Promise<Discovery> {
    const atMs = clock.now();
    if (!this.#last || this.#last.atMs + periodMs <= atMs) this.#last = { atMs, found: discoverResources(client) };
    return this.#last.found;
  }
}

interface LookOptions {
  readonly memories: Map<ObjectKey, Memory>;
  readonly discovered: Discovered;
  readonly io: ControllerIO;
}

/** One look at one autoscaler. What it finds goes into the status in any case. */
class Look {
  readonly #autoscaler: HorizontalPodAutoscaler;
  readonly #memories: Map<ObjectKey, Memory>;
  readonly #discovered: Discovered;
  readonly #io: ControllerIO;
  readonly #key: ObjectKey;
  readonly #nowMs: number;
  #conditions: readonly HorizontalPodAutoscalerCondition[];

  constructor(autoscaler: HorizontalPodAutoscaler, { memories, discovered, io }: LookOptions) {
    this.#autoscaler = autoscaler;
    this.#memories = memories;
    this.#discovered = discovered;
    this.#io = io;
    this.#key = keyOf(autoscaler);
    this.#nowMs = io.clock.now();
    this.#conditions = autoscaler.status.conditions ?? [];
  }

  async perform(): Promise<void> {
    const { spec, status } = this.#autoscaler;
    const target = await this.#target();
    if (!target)
      return this.#write({ current: status.currentReplicas ?? 0, desired: status.desiredReplicas, metrics: status.currentMetrics ?? [] });
    const { scale, kind } = target;
    const current = scale.spec?.replicas ?? 0;
    if (!this.#memories.has(this.#key)) this.#remember({ history: remember(noHistory, { replicas: current, nowMs: this.#nowMs }) });
    const min = spec.minReplicas ?? 1;
    if (current === 0 && min !== 0) {
      this.#say('ScalingActive', false, 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero');
      return this.#write({ current, desired: 0, metrics: [] });
    }
    if (current > spec.maxReplicas)
      return this.#rescale(target, { desired: spec.maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas', metrics: [] });
    if (current < min)
      return this.#rescale(target, { desired: min, reason: 'Current number of replicas below Spec.MinReplicas', metrics: [] });
    const asked = await this.#ask(scale, current);
    if (asked.replicas === undefined) return this.#write({ current, desired: status.desiredReplicas, metrics: asked.metrics });
    const { history } = this.#memory;
    const decision = decide(
      { behavior: spec.behavior, min, max: spec.maxReplicas, current, desired: asked.replicas, nowMs: this.#nowMs },
      history,
    );
    this.#remember({ history: remember(history, { replicas: asked.replicas, nowMs: this.#nowMs }) });
    this.#say('AbleToScale', true, decision.ableToScale.reason, decision.ableToScale.message);
    this.#say('ScalingLimited', decision.scalingLimited.isLimited, decision.scalingLimited.reason, decision.scalingLimited.message);
    if (decision.replicas === current) return this.#write({ current, desired: current, metrics: asked.metrics });
    const reason = asked.replicas > current ? `${asked.metric} above target` : asked.replicas < current ? 'All metrics below target' : '';
    await this.#rescale({ scale, kind }, { desired: decision.replicas, reason, metrics: asked.metrics });
  }

  /** Of the first of the kind's resources that has one. */
  async #target(): Promise<Target | undefined> {
    const { metadata, spec } = this.#autoscaler;
    const { apiVersion = 'v1', kind, name } = spec.scaleTargetRef;
    try {
      const found = resourceOf(await this.#discovered.get(this.#io), { apiVersion, kind });
      if (!found?.namespaced) throw new Error(`no matches for kind "${kind}" in group "${groupOf(apiVersion)}"`);
      const at = { namespace: metadata.namespace, name };
      const scale: Scale = await this.#io.client.get(found, at, { subresource: 'scale' });
      this.#say('AbleToScale', true, 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
      return { scale, kind: found };
    } catch (error) {
      this.#warn('FailedGetScale', messageOf(error));
      this.#say(
        'AbleToScale',
        false,
        'FailedGetScale',
        `the HPA controller was unable to get the target's current scale: ${messageOf(error)}`,
      );
      return undefined;
    }
  }

  /** `replicas` is absent when there is nothing to go by. */
  async #ask(
    scale: Scale,
    current: number,
  ): Promise<{ readonly replicas?: number; readonly metric: string; readonly metrics: readonly MetricStatus[] }> {
    const { spec } = this.#autoscaler;
    const wanted = spec.metrics ?? [];
    const found = await this.#pods(scale.status?.selector ?? '');
    if (!found) return { metric: '', metrics: [] };
    const { pods, selector } = found;
    const there = scale.status?.replicas ?? 0;
    const failed: { readonly error: MetricError }[] = [];
    const metrics: MetricStatus[] = [];
    let most: { replicas: number; metric: string } | undefined;
    for (const each of wanted) {
      try {
        const count = await countByMetric(each, {
          autoscaler: this.#autoscaler,
          client: this.#io.client,
          discover: () => this.#discovered.get(this.#io),
          pods,
          selector,
          current,
          there,
          nowMs: this.#nowMs,
        });
        metrics.push(count.status);
        if (!most || count.replicas > most.replicas || most.replicas === 0) most = { replicas: count.replicas, metric: count.name };
      } catch (error) {
        if (!(error instanceof MetricError)) throw error;
        metrics.push({ type: '' });
        failed.push({ error });
        this.#warn(error.reason, error.short);
      }
    }
    const [first] = failed;
    if (first && (!most || most.replicas < current)) {
      this.#say('ScalingActive', false, first.error.reason, `the HPA was unable to compute the replica count: ${first.error.short}`);
      this.#warn(
        'FailedComputeMetricsReplicas',
        `invalid metrics (${failed.length} invalid out of ${wanted.length}), first error is: ${first.error.message}`,
      );
      return { metric: '', metrics };
    }
    const { replicas, metric } = most ?? { replicas: 0, metric: '' };
    this.#say('ScalingActive', true, 'ValidMetricFound', `the HPA was able to successfully calculate a replica count from ${metric}`);
    return { replicas: Math.min(replicas, int32Max), metric, metrics };
  }

  /** The target's pods, which no other autoscaler may have, too. */
  async #pods(text: string): Promise<{ readonly selector: LabelMatcher; readonly pods: readonly Pod[] } | undefined> {
    if (text === '')
      return this.#noSelector(
        'SelectorRequired',
        'selector is required',
        'InvalidSelector',
        "the HPA target's scale is missing a selector",
      );
    const { namespace } = this.#autoscaler.metadata;
    const neighbours = [...this.#memories].filter(([key]) => key.startsWith(`${namespace}/`));
    let selector: LabelMatcher;
    try {
      // Large ones, which many may share, are parsed once.
      selector = neighbours.find(([, memory]) => memory.text === text)?.[1].selector ?? parseLabelSelector(text);
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      const message = `couldn't convert selector into a corresponding internal selector object: ${error.message}`;
      return this.#noSelector('InvalidSelector', message, 'InvalidSelector', message);
    }
    this.#remember({ text, selector });
    const pods = await this.#matching(this.#io.client.informer(Pod).list(namespace), selector);
    const rivals = [this.#key];
    for (const [key, memory] of neighbours) {
      if (key === this.#key) continue;
      const isRival = memory.selector === selector ? pods.length > 0 : (await this.#matching(pods, memory.selector, 1)).length > 0;
      if (isRival) rivals.push(key);
    }
    if (rivals.length === 1) return { selector, pods };
    const names = rivals.map((key) => `{${key.slice(key.indexOf('/') + 1)} ${namespace}}`).sort();
    const message = `pods by selector ${cut(text)} are controlled by multiple HPAs: [${names.join(' ')}]`;
    return this.#noSelector('AmbiguousSelector', message, 'AmbiguousSelector', message);
  }

  /** The first of them, at most `max`. Others have their turn in between. */
  async #matching(pods: readonly Pod[], selector: LabelMatcher, max = Number.POSITIVE_INFINITY): Promise<readonly Pod[]> {
    const found: Pod[] = [];
    for (const pod of pods) {
      if (found.length >= max) break;
      if (pace.isDue(selector.requirements.length)) await nextTurn();
      if (selector.matches(pod.metadata.labels)) found.push(pod);
    }
    return found;
  }

  #noSelector(event: string, what: string, reason: string, message: string): undefined {
    this.#warn(event, what);
    this.#say('ScalingActive', false, reason, message);
    this.#warn('FailedComputeMetricsReplicas', what);
  }

  async #rescale(
    { scale, kind }: Target,
    { desired, reason, metrics }: { readonly desired: number; readonly reason: string; readonly metrics: readonly MetricStatus[] },
  ): Promise<void> {
    const current = scale.spec?.replicas ?? 0;
    const { namespace, name } = { namespace: this.#autoscaler.metadata.namespace, name: this.#autoscaler.spec.scaleTargetRef.name };
    try {
      const { resourceVersion: _, ...metadata } = scale.metadata; // the wish counts, whatever else has changed meanwhile
      await this.#io.client.update<KubeObject>(
        kind,
        { ...scale, metadata: { ...metadata, namespace, name }, spec: { replicas: desired } } as KubeObject,
        { subresource: 'scale', why: () => reason },
      );
    } catch (error) {
      this.#warn('FailedRescale', `New size: ${desired}; reason: ${reason}; error: ${messageOf(error)}`);
      this.#say('AbleToScale', false, 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${messageOf(error)}`);
      return this.#write({ current, desired: this.#autoscaler.status.desiredReplicas, metrics });
    }
    this.#say('AbleToScale', true, 'SucceededRescale', `the HPA controller was able to update the target scale to ${desired}`);
    this.#io.events.event(this.#autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${desired}; reason: ${reason}`);
    this.#remember({ history: withChange(this.#memory.history, desired - current, this.#nowMs) });
    await this.#write({ current, desired, metrics, lastScaleTime: formatTime(this.#nowMs) });
  }

  async #write({
    current,
    desired,
    metrics,
    lastScaleTime,
  }: {
    readonly current: number;
    readonly desired: number;
    readonly metrics: readonly MetricStatus[];
    readonly lastScaleTime?: string;
  }): Promise<void> {
    const { status } = this.#autoscaler;
    const scaledAt = lastScaleTime ?? status.lastScaleTime;
    const next = {
      ...(status.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }),
      ...(scaledAt !== undefined && { lastScaleTime: scaledAt }),
      currentReplicas: current,
      desiredReplicas: desired,
      currentMetrics: metrics.length > 0 ? metrics : null,
      conditions: withoutCondition(this.#conditions, 'ScaledToZero'),
    };
    if (equalJson(next, { ...status, currentMetrics: status.currentMetrics ?? null })) return;
    await this.#io.client.update(HorizontalPodAutoscaler, { ...this.#autoscaler, status: next }, { subresource: 'status' });
  }

  get #memory(): Memory {
    return this.#memories.get(this.#key) ?? { history: noHistory, text: '', selector: LabelMatcher.nothing };
  }

  #remember(part: Partial<Memory>): void {
    this.#memories.set(this.#key, { ...this.#memory, ...part });
  }

  #say(type: string, is: boolean, reason: string, message: string): void {
    const lastTransitionTime = formatTime(this.#nowMs);
    const said = cut(message, messageLengthMax);
    this.#conditions = withCondition(this.#conditions, { type, status: is ? 'True' : 'False', reason, message: said, lastTransitionTime });
  }

  #warn(reason: string, message: string): void {
    this.#io.events.event(this.#autoscaler, 'Warning', reason, cut(message, messageLengthMax));
  }
}

interface Target {
  readonly scale: Scale;
  readonly kind: KindRef;
}
