/** The components of a cluster by name; upstream's programs are understood too. */
import { type AddonName, addonNames } from '../addons/addons.ts';
import { own } from '../api/meta/words.ts';
import { OperationError } from './operation-error.ts';

const core = ['api-server', 'controllers', 'scheduler', 'kubelet', 'proxy'] as const;
export type ComponentName = (typeof core)[number] | AddonName;
/** An add-on is a component by its own name. */
export const componentNames: readonly ComponentName[] = [...core, ...addonNames];

const aliases: Readonly<Record<string, ComponentName>> = {
  'kube-apiserver': 'api-server',
  'controller-manager': 'controllers',
  'kube-controller-manager': 'controllers',
  'kube-scheduler': 'scheduler',
  node: 'kubelet',
  'kube-proxy': 'proxy',
  'kube-dns': 'dns',
  coredns: 'dns',
};

/** `scheduler,controllers` */
export function parseComponents(text: string): ComponentName[] {
  const given = text.split(',').map((name) => name.trim());
  const names = given.map((name) => componentNames.find((known) => known === name) ?? own(aliases, name));
  const known = names.filter((name) => name !== undefined);
  if (known.length === given.length) return known;
  throw new OperationError({
    code: 'bad-flag',
    exitCode: 2,
    message: `unknown component: ${given
      .filter((_, i) => names[i] === undefined)
      .map((name) => JSON.stringify(name))
      .join(', ')}`,
    fix: `the components are: ${componentNames.join(', ')} (also as ${Object.keys(aliases).join(', ')})`,
  });
}
