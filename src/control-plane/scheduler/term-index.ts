/**
 * The affinity terms of the pods that are on nodes. Equal terms (the pods of one workload) are one entry, with the
 * nodes that have such pods, so a pod that comes is compared with each distinct term once, not with each pod.
 */
import type { AffinityTerm, NamespaceLabels } from './affinity-term.ts';
import type { PodFacts } from './pod-facts.ts';

export interface TermGroup {
  readonly kind: TermKind;
  readonly term: AffinityTerm;
  /** node index → how many pods there have the term */
  readonly nodes: Map<number, number>;
}

export type TermKind = 'required-affinity' | 'preferred-affinity' | 'required-anti-affinity' | 'preferred-anti-affinity';

export class TermIndex {
  readonly #groups = new Map<string, TermGroup>();
  /** those that name their namespaces, by each of them */
  readonly #naming = new Map<string, Set<TermGroup>>();
  /** those that select them */
  readonly #selecting = new Set<TermGroup>();

  podAdded(pod: PodFacts, nodeIndex: number): void {
    eachTerm(pod, (kind, term) => {
      const key = keyOf(kind, term);
      let group = this.#groups.get(key);
      if (!group) {
        group = { kind, term, nodes: new Map() };
        this.#groups.set(key, group);
        this.#list(group);
      }
      group.nodes.set(nodeIndex, (group.nodes.get(nodeIndex) ?? 0) + 1);
    });
  }

  podRemoved(pod: PodFacts, nodeIndex: number): void {
    eachTerm(pod, (kind, term) => {
      const key = keyOf(kind, term);
      const group = this.#groups.get(key);
      if (!group) return;
      const count = (group.nodes.get(nodeIndex) ?? 0) - 1;
      if (count > 0) group.nodes.set(nodeIndex, count);
      else group.nodes.delete(nodeIndex);
      if (group.nodes.size > 0) return;
      this.#groups.delete(key);
      this.#unlist(group);
    });
  }

  /** Calls back for each entry whose term means the pod. */
  meaning(pod: PodFacts, namespaceLabels: NamespaceLabels, found: (group: TermGroup) => void): void {
    for (const group of this.#naming.get(pod.namespace) ?? []) if (group.term.means(pod, namespaceLabels)) found(group);
    for (const group of this.#selecting) if (group.term.means(pod, namespaceLabels)) found(group);
  }

  #list(group: TermGroup): void {
    if (group.term.namespaceSelector) this.#selecting.add(group);
    else {
      for (const namespace of group.term.namespaces) {
        const groups = this.#naming.get(namespace) ?? new Set();
        groups.add(group);
        this.#naming.set(namespace, groups);
      }
    }
  }

  #unlist(group: TermGroup): void {
    this.#selecting.delete(group);
    for (const namespace of group.term.namespaces) {
      const groups = this.#naming.get(namespace);
      groups?.delete(group);
      if (groups?.size === 0) this.#naming.delete(namespace);
    }
  }
}

const keyOf = (kind: TermKind, term: AffinityTerm): string => `${kind} ${term.weight} ${term.topologyKey} ${term.subjectKey}`;

function eachTerm({ affinity, antiAffinity }: PodFacts, visit: (kind: TermKind, term: AffinityTerm) => void): void {
  for (const term of affinity.required) visit('required-affinity', term);
  for (const term of affinity.preferred) visit('preferred-affinity', term);
  for (const term of antiAffinity.required) visit('required-anti-affinity', term);
  for (const term of antiAffinity.preferred) visit('preferred-anti-affinity', term);
}
