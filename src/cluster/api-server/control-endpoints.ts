/**
 * What a running cluster can be told beside its API: paths below /timonier.dev/v1/, for administrators alone. `up` comes this way to a cluster that runs already.
 *
 *   GET /timonier.dev/v1/simulated-nodes           {"count":3}
 *   PUT /timonier.dev/v1/simulated-nodes?count=5   the same, when they are there; those that are too many are gone
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

/** What there is to tell, as far as it runs in this process. */
export interface Controls {
  simulatedNodes?: ScalableNodes;
}

export const controlPaths = { simulatedNodes: '/timonier.dev/v1/simulated-nodes' } as const;
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
  ];
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
