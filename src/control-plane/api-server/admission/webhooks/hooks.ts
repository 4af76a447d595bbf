/**
 * The webhooks of all configurations of one kind, in the order in which they are asked (by the configuration's name), and
 * which of them a request concerns. Read off the watch cache, so a configuration counts from the next request on.
 */
import type { MutatingWebhook, ValidatingWebhook } from '../../../../api/generated/admissionregistration-v1.ts';
import type { MutatingWebhookConfiguration, ValidatingWebhookConfiguration } from '../../../../api/generated/kinds.ts';
import type { KindSnapshot } from '../../../../api/kinds/kind-snapshot.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import type { KindRef, KubeObject } from '../../../../api/meta/object.ts';
import type { ObjectReader } from '../../cache/reader.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import { type OperationSubject, PerOperation } from '../per-operation.ts';
import { isExempt, matchingKind, selectorsOf } from './rules.ts';

export type Webhook = ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>;
export type WebhookConfiguration = ValidatingWebhookConfiguration | MutatingWebhookConfiguration;

export interface Hook {
  readonly webhook: Webhook;
  readonly configuration: string;
  /** tells it from all others of its kind */
  readonly id: string;
  /** its place among all hooks: audit annotations have it */
  readonly index: number;
  /** By its selectors. Throws what the request is refused with. */
  selects(request: AdmissionRequest, reader: ObjectReader): boolean;
}

/** A hook, and the version of the resource in which it wants to see the object. */
export interface Concerned {
  readonly hook: Hook;
  readonly kind: Kind;
}

const none: readonly Concerned[] = [];

export class Hooks {
  readonly #reader: ObjectReader;
  readonly #served: () => KindSnapshot;
  readonly #configurations: KindRef<WebhookConfiguration>;
  #revision = -1;
  #hooks: readonly Hook[] = [];
  readonly #concerned = new PerOperation((subject) => this.#find(subject));

  constructor(reader: ObjectReader, served: () => KindSnapshot, configurations: KindRef<WebhookConfiguration>) {
    this.#reader = reader;
    this.#served = served;
    this.#configurations = configurations;
  }

  /** Changes with the configurations. */
  revision(): number {
    return this.#reader.revision(this.#configurations);
  }

  /** By rules alone; kept until the configurations change. */
  concerning(subject: OperationSubject): readonly Concerned[] {
    this.#read();
    if (this.#hooks.length === 0 || isExempt(subject.kind, 'webhooks')) return none;
    return this.#concerned.of(subject);
  }

  #find(subject: OperationSubject): readonly Concerned[] {
    return this.#hooks.flatMap((hook) => {
      const { rules = [], ...matching } = hook.webhook;
      const kind = matchingKind({ ...matching, rules }, subject, this.#served());
      return kind ? [{ hook, kind }] : [];
    });
  }

  #read(): void {
    const revision = this.revision();
    if (revision === this.#revision) return;
    const configurations = [...this.#reader.list(this.#configurations)].toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    const all = configurations.flatMap((configuration) =>
      (configuration.webhooks ?? []).map((webhook: Webhook, i) => ({ webhook, configuration: nameOf(configuration), place: i })),
    );
    this.#hooks = all.map(({ webhook, configuration, place }, index) => ({
      webhook,
      configuration,
      id: `${configuration}/${place}/${webhook.name}`,
      index,
      selects: selectorsOf(webhook),
    }));
    this.#concerned.clear();
    this.#revision = revision;
  }
}

const nameOf = ({ metadata }: KubeObject): string => metadata.name ?? '';
