/**
 * The add-ons of a cluster in this process: switched on, an add-on has its objects and rights applied and is started;
 * switched off, it is stopped and they are removed. One change at a time.
 */
import type { Addon, AddonObject, ClusterFacts } from '../addons/addon.ts';
import { type AddonName, addons, addonsFix, addonsProblem } from '../addons/addons.ts';
import { ClusterRole, ClusterRoleBinding } from '../api/generated/kinds.ts';
import { apiVersionOf, type KubeObject, keyOf } from '../api/meta/object.ts';
import { isNotFound, messageOf } from '../api/meta/status-error.ts';
import type { Client } from '../client/client.ts';
import type { Timer } from '../client/clock.ts';
import { detach } from '../client/detached.ts';
import type { AddonState, SwitchableAddons } from './api-server/control-endpoints.ts';
import { planIngress } from './api-server/listen-plan.ts';
import type { ComponentContext, StartComponent } from './component.ts';
import { identities, serviceAccountIdentity } from './identities.ts';
import { volumeDirectories } from './nodes/volume-directories.ts';
import { OperationError } from './operation-error.ts';
import { type ClusterConfig, configDefaults } from './settings/config.ts';
import { version } from './version.ts';

export const addonLabel = 'timonier.dev/addon';
const retryMsMin = 5_000;
const retryMsMax = 300_000;
const rbacGroup = 'rbac.authorization.k8s.io';

type Shared = Omit<ComponentContext, 'addons' | 'simulatedNodes'>;

type OneOfThem = (typeof addons)[number];

export class Addons implements SwitchableAddons, AsyncDisposable {
  readonly #context: Shared;
  readonly #running = new Map<AddonName, AsyncDisposableStack>();
  /** what they say of themselves */
  readonly #notes = new Map<AddonName, string>();
  readonly #failing = new Map<AddonName, { readonly problem: string; readonly retry: Timer }>();
  #last: Promise<void> = Promise.resolve();

  constructor(context: Shared) {
    this.#context = context;
  }

  get states(): AddonState[] {
    return this.#own.map(({ name, about }) => {
      const problem = this.#failing.get(name)?.problem;
      return { name, about, on: this.#running.has(name) || problem !== undefined, problem, note: this.#notes.get(name), version };
    });
  }

  /** those that this process is to run */
  get #own(): readonly OneOfThem[] {
    const { components, api } = this.#context;
    return addons.filter(({ name, needsServer }: Addon) => components.has(name as AddonName) && (api.local || !needsServer));
  }

  /** One that fails does not keep the others back. It is tried again, and its first failure told to the caller, too. */
  disable(names: ReadonlySet<string>): Promise<void> {
    return this.#next(async () => {
      const outcomes: PromiseSettledResult<void>[] = [];
      for (const addon of this.#own)
        outcomes.push(...(await Promise.allSettled([names.has(addon.name) ? this.#off(addon) : this.#on(addon)])));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    });
  }

  #next(change: () => Promise<void>): Promise<void> {
    const before = this.#last;
    const done = (async () => {
      await before.catch(() => undefined); // told to who asked for it
      await change();
    })();
    this.#last = done;
    return done;
  }

  async #on(addon: OneOfThem): Promise<void> {
    if (!this.#running.has(addon.name) || this.#failing.has(addon.name)) await this.#renew(addon);
  }

  /** What it brings may be refused where what it does can go on, and the other way round. */
  async #renew(addon: OneOfThem, retryMs = retryMsMin): Promise<void> {
    this.#forget(addon);
    const applied = await Promise.allSettled(this.#objectsOf(addon).map((each) => apply(this.#admin, addon, each)));
    const started = await Promise.allSettled([this.#start(addon)]);
    const failed = [...applied, ...started].find((each) => each.status === 'rejected');
    if (!failed) return;
    const error: unknown = failed.reason;
    const { clock, log } = this.#context;
    log.warn({ addon: addon.name, error, retryMs }, 'add-on failed');
    const again = (): void => {
      const retry = async () => {
        if (this.#failing.has(addon.name)) await this.#renew(addon, Math.min(retryMs * 2, retryMsMax)); // else it was switched off meanwhile
      };
      detach(
        () => this.#next(retry),
        () => undefined, // told above
      );
    };
    this.#failing.set(addon.name, {
      problem: messageOf(error),
      retry: clock.setTimeout(again, retryMs),
    });
    throw error;
  }

  async #start(addon: OneOfThem): Promise<void> {
    if (this.#running.has(addon.name)) return;
    const { api, clock, random, log } = this.#context;
    await using stack = new AsyncDisposableStack();
    const client = api.clientFor(identityOf(addon));
    const cluster = factsOf(this.#context);
    stack.use(this.#watch(addon));
    const volumes = volumeDirectories(this.#context);
    await addon.start(
      {
        client,
        cluster,
        clock,
        random,
        log: log.child({ component: addon.name }),
        volumes,
        serve: api.local?.serve,
        tell: (note) => this.#notes.set(addon.name, note),
      },
      stack,
    );
    this.#running.set(addon.name, stack.move());
  }

  async #off(addon: OneOfThem): Promise<void> {
    this.#forget(addon);
    const running = this.#running.get(addon.name);
    this.#running.delete(addon.name);
    this.#notes.delete(addon.name);
    await running?.disposeAsync();
    for (const each of this.#objectsOf(addon)) await remove(this.#admin, addon, each);
  }

  /** What somebody deletes is there again at once. */
  #watch(addon: OneOfThem): Disposable {
    const lost = (object: KubeObject, { yieldsTo }: AddonObject): void => {
      const isWanted = this.#running.has(addon.name) && (isOf(addon, object) || yieldsTo?.(object));
      if (!isWanted) return;
      const again = () => this.#next(() => (this.#running.has(addon.name) ? this.#renew(addon) : Promise.resolve()));
      detach(again, () => undefined); // told by #renew
    };
    const stack = new DisposableStack();
    for (const kind of new Set(this.#objectsOf(addon).map((each) => each.kind))) {
      const own = new Map(this.#objectsOf(addon).flatMap((each) => (each.kind === kind ? [[keyOf(each.object), each] as const] : [])));
      const deleted = (object: KubeObject): void => {
        const each = own.get(keyOf(object));
        if (each) lost(object, each);
      };
      stack.use(this.#admin.informer(kind).on({ deleted }));
    }
    return stack;
  }

  #forget({ name }: OneOfThem): void {
    this.#failing.get(name)?.retry[Symbol.dispose]();
    this.#failing.delete(name);
  }

  get #admin(): Client {
    return this.#context.api.clientFor(identities.admin);
  }

  /** Elsewhere add-ons are who the kubeconfig says, and have that user's rights. */
  #objectsOf(addon: Addon): readonly AddonObject[] {
    return [...(this.#context.api.local ? rightsOf(addon) : []), ...addon.objects(factsOf(this.#context))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const addon of addons) this.#forget(addon);
    await this.#last.catch(() => undefined);
    for (const addon of addons) this.#forget(addon);
    for (const running of [...this.#running.values()].reverse()) await running.disposeAsync();
    this.#running.clear();
  }
}

export const startAddons: StartComponent = async ({ addons, api, config }, stack) => {
  if (api.local) api.local.controls.addons = addons;
  stack.use(addons);
  await addons.disable(new Set(config.disable)).catch(() => undefined); // told below, and tried again: the cluster is of use without
  const off = addons.states.flatMap(({ name, on }) => (on ? [] : [name]));
  const failed = addons.states.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name} failed: ${problem}`]));
  const notes = addons.states.flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`]));
  return [...notes, ...(off.length > 0 ? [`without ${off.join(', ')}`] : []), ...failed].join('; ') || undefined;
};

/** Throws for what is no add-on. */
export function checkAddonNames(names: readonly string[]): ReadonlySet<string> {
  const message = addonsProblem(names);
  if (message === undefined) return new Set(names);
  throw new OperationError({ code: 'no-such-addon', message, fix: addonsFix, exitCode: 2 });
}

const identityOf = ({ serviceAccount }: Addon) => serviceAccountIdentity('kube-system', serviceAccount);

function factsOf({ api, config, addresses, nodeAddress }: Shared): ClusterFacts {
  return {
    domain: config.clusterDomain ?? configDefaults.clusterDomain,
    // beside an API server elsewhere, `host` is all that can be meant
    address: nodeAddress ?? (api.local ? configDefaults.host : (config.host ?? configDefaults.host)),
    dnsServiceIP: addresses.dnsServiceIP,
    upstreamDNS: config.upstreamDNS,
    ingress:
      nodeAddress === undefined
        ? undefined
        : { ...planIngress({ host: config.host ?? configDefaults.host, nodeAddress }), ...pickPorts(config) },
  };
}

const pickPorts = ({ httpPort, httpsPort }: ClusterConfig) => ({ httpPort, httpsPort });

/** Names below `system:` are nobody else's. */
const always = (): boolean => true;

function rightsOf(addon: Addon): AddonObject[] {
  const metadata = { name: `system:timonier:${addon.name}` };
  const roleRef = { apiGroup: rbacGroup, kind: 'ClusterRole', name: metadata.name };
  const subjects = [{ apiGroup: rbacGroup, kind: 'User', name: identityOf(addon).name }];
  return [
    { kind: ClusterRole, object: { metadata, rules: addon.rights } as AddonObject['object'], isOlder: always },
    { kind: ClusterRoleBinding, object: { metadata, roleRef, subjects } as AddonObject['object'], isOlder: always },
  ];
}

const managerOf = ({ name }: Addon): string => `timonier-addon-${name}`;

async function apply(client: Client, addon: Addon, { kind, object, isOlder, yieldsTo }: AddonObject): Promise<void> {
  const at = nameOf(object);
  const found = await ifThere(client.get(kind, at));
  if (found && yieldsTo?.(found)) return;
  if (found && !isOf(addon, found) && !isOlder?.(found)) {
    const name = at.namespace === undefined ? at.name : `${at.namespace}/${at.name}`;
    throw new Error(`${kind.kind} ${name} is somebody else's: delete it, or switch ${addon.name} off`);
  }
  const { metadata } = object;
  const labels = { ...metadata.labels, [addonLabel]: addon.name };
  const body = { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { ...metadata, labels } };
  await client.patch(kind, at, { type: 'apply', force: true, body }, { fieldManager: managerOf(addon) });
}

/** What somebody else has put there by that name stays. */
async function remove(client: Client, addon: Addon, { kind, object, yieldsTo }: AddonObject): Promise<void> {
  const found = await ifThere(client.get(kind, nameOf(object)));
  if (found && isOf(addon, found) && !yieldsTo?.(found)) await ifThere(client.delete(kind, nameOf(object)));
}

const isOf = ({ name }: Addon, { metadata }: KubeObject): boolean => metadata.labels?.[addonLabel] === name;

async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const nameOf = ({ metadata }: AddonObject['object']) => ({ namespace: metadata.namespace, name: metadata.name ?? '' });
