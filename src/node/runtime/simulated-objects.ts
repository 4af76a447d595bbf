/** Sandboxes and containers that exist on paper only, and how they look through the CRI. */
import { own } from '../../api/meta/words.ts';
import type { Timer } from '../../client/clock.ts';
import { type RuntimeEvent, runsToCompletionAnnotation } from './container-runtime.ts';
import type * as cri from './cri-types.ts';
import type { Share } from './shared-loads.ts';
import { planSimulation, type SimulationScript } from './simulation-script.ts';

export interface Sandbox {
  readonly id: string;
  readonly config: cri.PodSandboxConfig;
  readonly runtimeHandler: string;
  readonly createdAt: number;
  readonly containers: Set<SimulatedContainer>;
  /** absent for hostNetwork pods */
  ip?: string | undefined;
  ready: boolean;
}

export interface SimulatedContainer {
  readonly id: string;
  readonly sandbox: Sandbox;
  readonly config: cri.ContainerConfig;
  readonly imageRef: string;
  readonly createdAt: number;
  state: cri.ContainerState;
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  reason: string;
  resources?: cri.LinuxContainerResources;
  /** only while it shares a load */
  share?: Share;
  /** core-seconds, once it has ended */
  used: number;
  /** only while an end is planned */
  end?: Timer;
}

export const noStringMap: cri.StringMap = {};

export const stateEvent = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'started',
  CONTAINER_EXITED: 'stopped',
  CONTAINER_UNKNOWN: 'stopped',
} as const;

export function eventOf(type: RuntimeEvent['type'], { id, config }: Sandbox, containerId: string): RuntimeEvent {
  return { type, podUid: config.metadata.uid, podSandboxId: id, containerId };
}

export function scriptOf({ sandbox, config }: SimulatedContainer): SimulationScript {
  const runsToCompletion = config.annotations?.[runsToCompletionAnnotation] === 'true';
  const { metadata, image, command, args } = config;
  return planSimulation(sandbox.config.annotations ?? noStringMap, {
    name: metadata.name,
    runsToCompletion,
    image: image.userSpecifiedImage || image.image,
    command,
    args,
  });
}

/** Which load it shares: that of its workload, whatever revision it is of. */
export function loadKeyOf({ sandbox, config }: SimulatedContainer, text: string): string {
  const labels = Object.entries(sandbox.config.labels ?? noStringMap).filter(([name]) => !ofOnePod.test(name));
  return JSON.stringify([sandbox.config.metadata.namespace, config.metadata.name, text, labels.sort()]);
}

/** Labels that pods of one workload differ in. */
const ofOnePod =
  /^(io\.kubernetes\.pod\.(name|uid)|pod-template-hash|controller-revision-hash|pod-template-generation|statefulset\.kubernetes\.io\/pod-name|apps\.kubernetes\.io\/pod-index)$/;

export function describeSandbox({ id, config, ready, createdAt, runtimeHandler }: Sandbox): cri.PodSandbox {
  return {
    id,
    metadata: { attempt: 0, ...config.metadata },
    state: ready ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
    createdAt,
    labels: config.labels ?? noStringMap,
    annotations: config.annotations ?? noStringMap,
    runtimeHandler,
  };
}

export function describeContainer({ id, sandbox, config, imageRef, state, createdAt }: SimulatedContainer): cri.Container {
  return {
    id,
    podSandboxId: sandbox.id,
    metadata: { attempt: 0, ...config.metadata },
    image: config.image,
    imageRef,
    imageId: imageRef,
    state,
    createdAt,
    labels: config.labels ?? noStringMap,
    annotations: config.annotations ?? noStringMap,
  };
}

export function candidates<T>(all: ReadonlyMap<string, T>, id: string | undefined): T[] {
  if (id === undefined) return [...all.values()];
  const one = all.get(id);
  return one === undefined ? [] : [one];
}

export function hasLabels(labels: cri.StringMap = noStringMap, wanted: cri.StringMap = noStringMap): boolean {
  return Object.entries(wanted).every(([key, value]) => own(labels, key) === value);
}
