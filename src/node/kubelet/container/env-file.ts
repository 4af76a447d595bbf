/**
 * Environment files of volumes: `NAME='value'`, where a value may go over several lines. Only what is needed of the
 * grammar of shells: no other quotes, no expansion. Pure.
 * Upstream: pkg/kubelet/util/env/env_util.go; a line has at most 64 KiB there too.
 */

export const lineBytesMax = 64 * 1024;
/** Longer files are refused; upstream reads on. */
export const fileBytesMax = 2 ** 20;

/** The value of the key; `''` when it is not there. Throws for what is no environment file, up to the key. */
export function parseEnvFile(content: Buffer, key: string): string {
  const lines = new Lines(content);
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const text = line.replace(/^[ \t]+/, '');
    if (text === '' || text.startsWith('#')) continue;
    const equals = text.indexOf('=');
    const name = text.slice(0, Math.max(0, equals));
    if (name === '' || /[ \t]$/.test(name)) throw lines.invalid('a line is NAME=\'value\', without space before "="');
    const rest = text.slice(equals + 1);
    if (/^[ \t]/.test(rest)) {
      if (name === key) return '';
      continue;
    }
    if (!rest.startsWith("'")) throw lines.invalid('a value stands in single quotes');
    const value = quoted(lines, rest.slice(1));
    if (name === key) return value;
  }
  return '';
}

function quoted(lines: Lines, first: string): string {
  const parts: string[] = [];
  for (let line: string | undefined = first; line !== undefined; line = lines.next()) {
    const end = line.indexOf("'");
    if (end < 0) {
      parts.push(line);
      continue;
    }
    const after = line.slice(end + 1).replace(/^[ \t]+/, '');
    if (after !== '' && !after.startsWith('#')) throw lines.invalid('something follows the closing quote');
    return [...parts, line.slice(0, end)].join('\n');
  }
  throw lines.invalid('a quote is not closed');
}

class Lines {
  readonly #content: Buffer;
  #at = 0;
  #number = 0;

  constructor(content: Buffer) {
    this.#content = content;
  }

  next(): string | undefined {
    if (this.#at >= this.#content.length) return undefined;
    this.#number++;
    const newline = this.#content.indexOf(0x0a, this.#at);
    const end = newline < 0 ? this.#content.length : newline;
    if (end - this.#at >= lineBytesMax) throw this.invalid(`more than ${lineBytesMax} bytes`);
    const line = this.#content.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  invalid(why: string): Error {
    return new Error(`line ${this.#number} of the environment file: ${why}`);
  }
}
