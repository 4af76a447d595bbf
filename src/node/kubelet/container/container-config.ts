/**
 * The CRI's configuration of a container. Pure: environment, mounts and the image's user have been found out before.
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go (generateContainerConfig).
 */
import { join } from 'node:path';
import type { Container, Pod } from '../../../api/generated/core-v1.ts';
import type * as cri from '../../runtime/cri-types.ts';
import { annotationsOfContainer, labelsOfContainer } from '../pod/runtime-labels.ts';
import { expandCommand } from './container-environment.ts';
import { containerResources } from './container-resources.ts';
import { type ContainerSecurityInput, containerSecurityContext } from './security-context.ts';

export interface ContainerInput extends ContainerSecurityInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly restartCount: number;
  readonly imageRef: string;
  readonly env: ReadonlyMap<string, string>;
  readonly mounts: readonly cri.Mount[];
  readonly devices: readonly cri.Device[];
  readonly memoryCapacityBytes: number;
}

export function containerConfig(input: ContainerInput): cri.ContainerConfig {
  const { pod, container, restartCount, env } = input;
  const stopSignal = container.lifecycle?.stopSignal;
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: { image: input.imageRef, userSpecifiedImage: container.image ?? '' },
    command: expandCommand(container.command, env),
    args: expandCommand(container.args, env),
    workingDir: container.workingDir ?? '',
    envs: [...env].map(([key, value]) => ({ key, value })),
    mounts: input.mounts,
    devices: input.devices,
    labels: labelsOfContainer(pod, container),
    annotations: annotationsOfContainer(pod, container, restartCount),
    logPath: join(container.name, `${restartCount}.log`),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    ...(stopSignal && { stopSignal }),
    linux: {
      resources: containerResources(pod, container, input.memoryCapacityBytes),
      securityContext: containerSecurityContext(input),
    },
  };
}
