/**
 * The log files of the CRI: `TIME STREAM TAG LINE`, where the tag P says that the line goes on in the next entry, and F
 * that it ends. Pure.
 * Upstream: k8s.io/cri-client/pkg/logs/logs.go.
 */

export interface CRILogEntry {
  /** as it was written: RFC 3339 with nanoseconds */
  readonly time: string;
  readonly stream: string;
  /** without the newline */
  readonly text: Buffer;
  readonly partial: boolean;
}

const space = 0x20;
const newline = 0x0a;

/** undefined for what is no entry. The line has no newline at its end. */
export function parseLogLine(line: Buffer): CRILogEntry | undefined {
  const first = line.indexOf(space);
  const second = line.indexOf(space, first + 1);
  const third = line.indexOf(space, second + 1);
  if (first <= 0 || second < 0) return undefined;
  const end = third < 0 ? line.length : third;
  const tags = line.toString('latin1', second + 1, end);
  const stream = line.toString('latin1', first + 1, second);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  return {
    time: line.toString('latin1', 0, first),
    stream,
    text: third < 0 ? Buffer.alloc(0) : line.subarray(third + 1),
    partial: tags.split(':')[0] === 'P',
  };
}

/** The runtime writes entries of at most 16 KiB; whatever is longer was not written by it. */
const lineBytesMax = 256 * 1024;

/** Splits a stream of bytes into lines; the rest waits for more. Lines that are too long are left out. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);
  /** up to the next newline nothing counts */
  #skips = false;

  *push(chunk: Buffer): Generator<Buffer> {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (let end = data.indexOf(newline); end >= 0; end = data.indexOf(newline)) {
      if (!this.#skips && end <= lineBytesMax) yield data.subarray(0, end);
      this.#skips = false;
      data = data.subarray(end + 1);
    }
    if (data.length > lineBytesMax) this.#skips = true;
    this.#rest = this.#skips ? Buffer.alloc(0) : data;
  }
}
