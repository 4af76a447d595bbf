/**
 * The last words of a container: what it wrote to its termination message path, or, where its policy says so and it
 * failed, the end of its log.
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go (getTerminationMessage).
 */
import { messageOf } from '../../../api/meta/status-error.ts';
import type { FileGate } from '../../files/file-gate.ts';
import { isMissing, openFile, readEnd } from '../../files/held-directory.ts';
import type { ContainerStatus } from '../../runtime/cri-types.ts';
import { parseLogLine } from '../container/cri-log.ts';
import type { ContainerNotes } from '../pod/runtime-labels.ts';

const messageBytesMax = 4096;
const logBytesMax = 2048;
const logLinesMax = 80;
/** How much of the end of a log file is looked at. */
const logReadBytesMax = 64 * 1024;

export async function readTerminationMessage(status: ContainerStatus, notes: ContainerNotes, gate: FileGate): Promise<string> {
  const wantsLog =
    notes.terminationMessagePolicy === 'FallbackToLogsOnError' && status.exitCode !== 0 && status.reason !== 'ContainerCannotRun';
  const path = notes.terminationMessagePath;
  const absolute = path.startsWith('/') ? path : `/${path}`;
  const mount = path ? status.mounts.find((m) => m.containerPath === absolute) : undefined;
  if (mount?.hostPath) {
    try {
      const text = (await readFileEnd(mount.hostPath, messageBytesMax, gate)).toString();
      if (text !== '' || !wantsLog) return text;
    } catch (error) {
      if (!isMissing(error)) return `Error on reading termination log ${mount.hostPath}: ${messageOf(error)}`;
    }
  }
  return wantsLog ? await lastLogLines(status.logPath, gate) : '';
}

async function readFileEnd(path: string, bytesMax: number, gate: FileGate): Promise<Buffer> {
  await using file = await openFile(path, gate);
  return await readEnd(file, bytesMax);
}

async function lastLogLines(path: string, gate: FileGate): Promise<string> {
  try {
    const text = await readFileEnd(path, logReadBytesMax, gate);
    const entries = text
      .toString('latin1')
      .split('\n')
      .map((line) => parseLogLine(Buffer.from(line, 'latin1')))
      .filter((entry) => entry !== undefined);
    const lines = entries.slice(-logLinesMax).map((e) => `${e.text.toString()}${e.partial ? '' : '\n'}`);
    return Buffer.from(lines.join('')).subarray(-logBytesMax).toString();
  } catch (error) {
    return `Error on reading termination message from logs: ${messageOf(error)}`;
  }
}
