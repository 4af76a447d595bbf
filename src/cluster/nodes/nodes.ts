/** The nodes of this process: how many there are, and their kubelets, real and simulated. */
import { controllerChoice } from '../../control-plane/controllers/controller-names.ts';
import type { LocalNodes, StartComponent } from '../component.ts';
import { realNodeName, simulatedNodeName } from '../identities.ts';
import { detectMachine, mountProblem, noRealNodes, realNodesPossible } from '../machine/machine.ts';
import { OperationError } from '../operation-error.ts';
import type { ClusterConfig } from '../settings/config.ts';
import { startSimulatedNodes } from './simulated-nodes.ts';

export const noNodes: LocalNodes = { real: 0, simulated: 0, cniPluginDir: '' };
const onlySimulated = (simulated: number): LocalNodes => ({ ...noNodes, simulated });

/** How many a configuration means on this machine. Real ones need a directory, the API server in this process, and real time. */
export async function planNodes(
  { nodes, simulated, controllers }: ClusterConfig,
  possible: { readonly dataDir: boolean; readonly localAPI: boolean; readonly realTime: boolean },
): Promise<LocalNodes> {
  if (nodes === 0 || (nodes === undefined && !(possible.dataDir && possible.localAPI && possible.realTime)))
    return onlySimulated(simulated ?? 1);
  if (!possible.localAPI) {
    throw new OperationError({
      code: 'bad-config',
      message: 'real nodes need the API server in the same process',
      fix: 'start simulated ones (--nodes 0 --simulated N), or add api-server to the components',
    });
  }
  if (!possible.dataDir) {
    throw new OperationError({ code: 'bad-config', message: 'real nodes need a data directory', fix: 'give dataDir, or nodes: 0' });
  }
  if (!possible.realTime) {
    throw new OperationError({ code: 'bad-config', message: 'real nodes live in real time', fix: 'give no clock, or nodes: 0' });
  }
  const machine = await detectMachine();
  const real = realNodesPossible(machine);
  if (real.ok && !controllerChoice(controllers)('node-ipam-controller')) {
    const fix = 'leave node-ipam-controller in --controllers, or take simulated nodes: --nodes 0';
    throw new OperationError({ code: 'bad-config', message: 'real nodes have their pods’ addresses from node-ipam-controller', fix });
  }
  if (real.ok) return { real: nodes ?? 1, simulated: simulated ?? 0, cniPluginDir: machine.cniPluginDir ?? '' };
  if (nodes !== undefined) throw noRealNodes(real);
  return { ...onlySimulated(simulated ?? 1), note: `simulated only: no containers run; missing: ${real.missing}` };
}

const describeNodes = ({ real, simulated, note }: LocalNodes): string =>
  note ?? [real ? `${real} real` : '', simulated ? `${simulated} simulated: no containers run there` : ''].filter(Boolean).join(', ');

const numbered = (count: number, name: (number: number) => string): string[] => Array.from({ length: count }, (_, i) => name(i + 1));

export const nodeNames = (cluster: string, { real, simulated }: LocalNodes): string[] => [
  ...numbered(real, (number) => realNodeName(cluster, number)),
  ...numbered(simulated, (number) => simulatedNodeName(cluster, number)),
];

export const startNodes: StartComponent = async (context, stack) => {
  let shared: string | undefined;
  if (context.nodes.real > 0) {
    const problem = mountProblem();
    if (problem) context.log.warn({ fix: problem.fix }, problem.message);
    const { startRealNodes } = await import('./real-nodes.ts');
    shared = await startRealNodes(context, stack);
  }
  await startSimulatedNodes(context, stack);
  return [describeNodes(context.nodes), shared].filter(Boolean).join('; ');
};
