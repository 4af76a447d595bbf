/**
 * What a running cluster can be told beside its API: paths below /timonier.dev/v1/, for administrators alone. `up` comes this way to a cluster that runs already.
 *
 *   GET /timonier.dev/v1/simulated-nodes           {"count":3}
 *   PUT /timonier.dev/v1/simulated-nodes?count=5   the same, when they are there; those that are too many are gone
 *   GET /timonier.dev/v1/addons                    {"addons":[{"name":"dns","about":"…","on":true,"version":"…"}]}
 *   PUT /timonier.dev/v1/addons?disable=dns        the same, when that one is off and the others are on
 */
import { errors } from '../../api/meta/status-error.ts';
import {
  forAdministrators,
  type NonResourceEndpoint,
  type NonResourceResponse,
} from '../../control-plane/api-server/request/non-resource-endpoint.ts';
import { methodNotAllowed } from '../../control-plane/api-server/request/refusals.ts';

export interface ScalableNodes {
  readonly count: number;
  resize(count: number, signal?: AbortSignal): Promise<void>;
}

/** What `timonier addons` says of one. */
export interface AddonState {
  readonly name: string;
  readonly about: string;
  readonly on: boolean;
  /** it is to be on, and fails */
  readonly problem?: string | undefined;
  /** what people should know of it: where it listens */
  readonly note?: string | undefined;
  /** of timonier */
  readonly version: string;
}

export interface SwitchableAddons {
  readonly states: readonly AddonState[];
  /** Resolves when those are off and all others are on. */
  disable(names: ReadonlySet<string>): Promise<void>;
}

/** What there is to tell, as far as it runs in this process. */
export interface Controls {
  simulatedNodes?: ScalableNodes;
  addons?: SwitchableAddons;
}

export const controlPaths = { simulatedNodes: '/timonier.dev/v1/simulated-nodes', addons: '/timonier.dev/v1/addons' } as const;
const simulatedNodesMax = 20_000;

export function controlEndpoints(controls: Controls): readonly NonResourceEndpoint[] {
  return [
    forAdministrators({
      paths: [controlPaths.simulatedNodes],
      async handle({ method, query }) {
        const { simulatedNodes } = controls;
        if (!simulatedNodes) throw errors.badRequest('this process runs no nodes, or does not run them yet');
        if (method === 'PUT') await simulatedNodes.resize(countOf(query));
        else if (method !== 'GET') throw methodNotAllowed();
        return json({ count: simulatedNodes.count });
      },
    }),
    forAdministrators({
      paths: [controlPaths.addons],
      async handle({ method, query }) {
        const { addons } = controls;
        if (!addons) throw errors.badRequest('this process runs no add-ons, or does not run them yet');
        if (method === 'PUT') await addons.disable(namesOf(query, addons));
        else if (method !== 'GET') throw methodNotAllowed();
        return json({ addons: addons.states });
      },
    }),
  ];
}

function namesOf(query: URLSearchParams, { states }: SwitchableAddons): ReadonlySet<string> {
  const names = (query.get('disable') ?? '').split(',').filter(Boolean);
  const unknown = names.find((name) => !states.some((each) => each.name === name));
  if (unknown === undefined) return new Set(names);
  throw errors.badRequest(`disable: there is no add-on ${JSON.stringify(unknown)} here`);
}

function countOf(query: URLSearchParams): number {
  const text = query.get('count') ?? '';
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= simulatedNodesMax) return count;
  throw errors.badRequest(`count: ${JSON.stringify(text)} is not a whole number from 0 to ${simulatedNodesMax}`);
}

const json = (value: object): NonResourceResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});
