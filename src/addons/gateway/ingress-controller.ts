/**
 * What an Ingress is told: in its status where it is reached, and in Events what of it is not obeyed, once for each thing
 * that it says. Where nothing listens its status says no address, whatever an earlier start has left there.
 */
import { Ingress, IngressClass, Secret } from '../../api/generated/kinds.ts';
import type { IngressLoadBalancerIngress } from '../../api/generated/networking-v1.ts';
import { equalSemantically } from '../../api/meta/deep-equal.ts';
import { keyOf, type ObjectKey } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/meta/status-error.ts';
import type { Client } from '../../client/client.ts';
import { type Controller, defineController, watched } from '../../client/controllers/controller.ts';
import { ingressClass } from './compile-ingress.ts';
import { type IngressRouting, tlsSecrets } from './ingress-routing.ts';

const defaultMark = 'ingressclass.kubernetes.io/is-default-class';

export interface IngressControllerOptions {
  /** the informers' */
  readonly client: Client;
  readonly routing: IngressRouting;
  /** where it is reached; none: nothing listens */
  readonly points: readonly IngressLoadBalancerIngress[];
}

export function ingressController({ client, routing, points }: IngressControllerOptions): Controller {
  const ingresses = client.informer(Ingress);
  const ofSecret = ingresses.index('tls', ({ metadata, spec }) =>
    (spec.tls ?? []).flatMap(({ secretName }) => (secretName ? [`${metadata.namespace}/${secretName}`] : [])),
  );
  /** by uid: what it was told last */
  const told = new Map<string, string>();
  return defineController({
    name: 'ingress-controller',
    watches: [
      watched(Ingress),
      watched(IngressClass, () => ingresses.list().map(keyOf)),
      watched(Secret, (secret) => ofSecret(keyOf(secret)).map(keyOf), tlsSecrets),
    ],
    async reconcile(key, io) {
      const ingress = ingresses.get(key);
      if (!ingress) return;
      const ours = routing.isOurs(ingress);
      if (ours) {
        const problems = routing.problemsOf(ingress);
        const before = told.get(ingress.metadata.uid);
        const now = JSON.stringify(problems);
        if (problems.length === 0) told.delete(ingress.metadata.uid);
        else told.set(ingress.metadata.uid, now);
        if (now !== before) for (const { reason, message } of problems) io.events.event(ingress, 'Warning', reason, message);
      }
      const status = nextStatus(ingress, { ours, points });
      if (status) await writeStatus(io.client, ingress, status);
    },
  });
}

/** Undefined: as it is. Of another class only what was written here is taken back. */
export function nextStatus(
  { status }: Ingress,
  { ours, points }: { readonly ours: boolean; readonly points: readonly IngressLoadBalancerIngress[] },
): readonly IngressLoadBalancerIngress[] | undefined {
  const now = status.loadBalancer?.ingress ?? [];
  const isFromHere = points.length > 0 && equalSemantically(now, points);
  if (ours) return equalSemantically(now, points) ? undefined : points;
  return isFromHere ? [] : undefined;
}

async function writeStatus(client: Client, ingress: Ingress, points: readonly IngressLoadBalancerIngress[]): Promise<void> {
  const body = { status: { loadBalancer: { ingress: points.length > 0 ? points : null } } };
  const at = { namespace: ingress.metadata.namespace ?? '', name: ingress.metadata.name };
  try {
    await client.patch(Ingress, at, { type: 'merge', body }, { subresource: 'status' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** The class is the default one while no other is, and nobody has said that it is not to be. */
export function planDefaultMark(classes: readonly IngressClass[]): 'true' | null | undefined {
  const markOf = ({ metadata }: IngressClass): string | undefined => metadata.annotations?.[defaultMark];
  const own = classes.find(({ metadata }) => metadata.name === ingressClass.name);
  if (!own) return undefined;
  const isTaken = classes.some((each) => each !== own && markOf(each) === 'true');
  if (isTaken) return markOf(own) === 'true' ? null : undefined;
  return markOf(own) === undefined ? 'true' : undefined;
}

const classKey: ObjectKey = ingressClass.name;

export function ingressClassController(client: Client): Controller {
  const classes = client.informer(IngressClass);
  return defineController({
    name: 'ingress-class-controller',
    watches: [watched(IngressClass, () => [classKey])],
    async reconcile(_, io) {
      await markDefault(io.client, classes.list());
    },
  });
}

export async function markDefault(client: Client, classes: readonly IngressClass[]): Promise<void> {
  const mark = planDefaultMark(classes);
  if (mark === undefined) return;
  const body = { metadata: { annotations: { [defaultMark]: mark } } };
  try {
    await client.patch(IngressClass, { name: ingressClass.name }, { type: 'merge', body });
  } catch (error) {
    if (!isNotFound(error)) throw error; // it was switched off meanwhile
  }
}
