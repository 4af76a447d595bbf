/** A server that load is put on: one of our own, or any other that a kubeconfig leads to. */
import type { Access } from './connections.ts';
import { accessFrom } from './kubeconfig-access.ts';
import { cpuMsOf, type Memory, memoryOf } from './process-usage.ts';

export interface TargetMemory extends Memory {
  readonly heapMB?: number;
  /** buffers outside the heap */
  readonly externalMB?: number;
}

export interface Target {
  readonly name: string;
  readonly access: Access;
  /** processor time so far; undefined when the processes are not known */
  cpuMs(): number | undefined;
  memory(): Promise<TargetMemory | undefined>;
  startProfile?(): Promise<void>;
  endProfile?(file: string): Promise<void>;
}

export async function otherServer(name: string, kubeconfig: string, pids: readonly number[]): Promise<Target> {
  return {
    name,
    access: await accessFrom(kubeconfig),
    cpuMs: () => (pids.length > 0 ? cpuMsOf(pids) : undefined),
    memory: async () => (pids.length > 0 ? memoryOf(pids) : undefined),
  };
}
