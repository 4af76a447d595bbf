/**
 * The last words of a container: what it wrote to its termination message path, or, where its policy says so and it
 * failed, the end of its log.
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go (getTerminationMessage).
 */
import { open } from 'node:fs/promises';
import type { ContainerStatus } from '../runtime/cri-types.ts';
import { parseLogLine } from './cri-log.ts';
import type { ContainerNotes } from './runtime-labels.ts';

const messageBytesMax = 4096;
const logBytesMax = 2048;
const logLinesMax = 80;
/** How much of the end of a log file is looked at. */
const logReadBytesMax = 64 * 1024;

export async function readTerminationMessage(status: ContainerStatus, notes: ContainerNotes): Promise<string> {
  const wantsLog =
    notes.terminationMessagePolicy === 'FallbackToLogsOnError' && status.exitCode !== 0 && status.reason !== 'ContainerCannotRun';
  const path = notes.terminationMessagePath;
  const absolute = path.startsWith('/') ? path : `/${path}`;
  const mount = path ? status.mounts.find((m) => m.containerPath === absolute) : undefined;
  if (mount?.hostPath) {
    try {
      const text = (await readEnd(mount.hostPath, messageBytesMax)).toString();
      if (text !== '' || !wantsLog) return text;
    } catch (error) {
      if (!isMissing(error)) return `Error on reading termination log ${mount.hostPath}: ${String(error)}`;
    }
  }
  return wantsLog ? await lastLogLines(status.logPath) : '';
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

async function readEnd(path: string, bytesMax: number): Promise<Buffer> {
  await using file = await open(path);
  const { size } = await file.stat();
  const length = Math.min(size, bytesMax);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.subarray(0, bytesRead);
}

async function lastLogLines(path: string): Promise<string> {
  try {
    const text = await readEnd(path, logReadBytesMax);
    const entries = text
      .toString('latin1')
      .split('\n')
      .map((line) => parseLogLine(Buffer.from(line, 'latin1')))
      .filter((entry) => entry !== undefined);
    const lines = entries.slice(-logLinesMax).map((e) => `${e.text.toString()}${e.partial ? '' : '\n'}`);
    return Buffer.from(lines.join('')).subarray(-logBytesMax).toString();
  } catch (error) {
    return `Error on reading termination message from logs: ${error instanceof Error ? error.message : String(error)}`;
  }
}
