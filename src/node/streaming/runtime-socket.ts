/**
 * A connection to the runtime's streaming server. Node destroys a socket whose write fails, and with it what it has not
 * read yet. A runtime whose command ended closes at once, whatever input still comes: here a failed write is dropped,
 * and reading goes on to the end, which is where the exit code stands.
 */
import { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

class RuntimeSocket extends Socket {
  override _write(chunk: unknown, encoding: BufferEncoding, done: Done): void {
    super._write(chunk, encoding, () => done());
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: Done): void {
    super._writev?.(chunks, () => done());
  }
}

export const connectToRuntime = (host: string, port: number): Socket => new RuntimeSocket().setNoDelay(true).connect({ host, port });
