/**
 * One term of pod affinity or anti-affinity, compiled: which pods it means, and what "together" is. The API server has
 * merged matchLabelKeys and mismatchLabelKeys into the selector when the pod was made.
 * Upstream: kube-scheduler/framework/types.go (AffinityTerm).
 */
import type { Affinity, PodAffinityTerm } from '../../api/generated/core-v1.ts';
import { type LabelMap, type LabelMatcher, labelMatcher } from '../../api/meta/selectors.ts';

export type NamespaceLabels = (namespace: string) => LabelMap | undefined;

/** What a term looks at. */
interface Subject {
  readonly namespace: string;
  readonly labels: LabelMap;
}

export class AffinityTerm {
  readonly topologyKey: string;
  readonly weight: number;
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceSelector: LabelMatcher | undefined;
  readonly #selector: LabelMatcher;
  #key: string | undefined;

  constructor(term: PodAffinityTerm, ownNamespace: string, weight = 1) {
    this.topologyKey = term.topologyKey;
    this.weight = weight;
    this.namespaceSelector = term.namespaceSelector ? labelMatcher(term.namespaceSelector) : undefined;
    const named = term.namespaces?.length ? term.namespaces : this.namespaceSelector ? [] : [ownNamespace];
    this.namespaces = new Set(named);
    this.#selector = labelMatcher(term.labelSelector);
  }

  /** Terms that mean the same pods have the same. */
  get subjectKey(): string {
    this.#key ??= JSON.stringify([
      [...this.namespaces].sort(),
      this.namespaceSelector ? `${this.namespaceSelector}` : null,
      this.#selector.isNothing ? null : `${this.#selector}`,
    ]);
    return this.#key;
  }

  /** As `means`, but any namespace may be a selected one. */
  mayMean(pod: Subject): boolean {
    return (this.namespaceSelector !== undefined || this.namespaces.has(pod.namespace)) && this.#selector.matches(pod.labels);
  }

  means(pod: Subject, namespaceLabels: NamespaceLabels): boolean {
    if (!this.namespaces.has(pod.namespace) && !this.namespaceSelector?.matches(namespaceLabels(pod.namespace))) return false;
    return this.#selector.matches(pod.labels);
  }
}

export interface AffinityTerms {
  readonly required: readonly AffinityTerm[];
  readonly preferred: readonly AffinityTerm[];
}

const noTerms: AffinityTerms = { required: [], preferred: [] };

export function compileAffinity(spec: Affinity['podAffinity'] | Affinity['podAntiAffinity'], namespace: string): AffinityTerms {
  if (!spec) return noTerms;
  const { requiredDuringSchedulingIgnoredDuringExecution: required = [], preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } =
    spec;
  return {
    required: required.map((term) => new AffinityTerm(term, namespace)),
    preferred: preferred.map(({ podAffinityTerm, weight }) => new AffinityTerm(podAffinityTerm, namespace, weight)),
  };
}
