/** What a string or bytes literal stands for: prefixes `r` and `b`, one or three quotes, escapes. */

const single: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

const BAD_CODE_POINT = 'invalid unicode code point';

/** Throws the parser's words for an escape that stands for no character. */
export function unquote(token: string): string {
  const { body, raw } = strip(token);
  if (raw) return body;
  return body.replace(escapes, (_all, word: string) => {
    const code = numeric(word);
    if (code === undefined) return single.get(word) ?? word;
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new Error(BAD_CODE_POINT);
    return String.fromCodePoint(code);
  });
}

/** In bytes `\x` and octal escapes are bytes, and `\u` is an error. */
export function unquoteBytes(token: string): Uint8Array {
  const { body, raw } = strip(token.slice(1));
  if (raw) return new TextEncoder().encode(body);
  const parts: number[] = [];
  let last = 0;
  const push = (text: string): void => {
    for (const byte of new TextEncoder().encode(text)) parts.push(byte);
  };
  for (const found of body.matchAll(escapes)) {
    const word = found[1] ?? '';
    push(body.slice(last, found.index));
    last = found.index + found[0].length;
    if (/^[uU]/.test(word)) throw new Error('unable to unescape string');
    const code = numeric(word);
    if (code === undefined) push(single.get(word) ?? word);
    else parts.push(code & 0xff);
  }
  push(body.slice(last));
  return Uint8Array.from(parts);
}

const escapes = /\\([xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7][0-7]|[\s\S])/g;

function numeric(word: string): number | undefined {
  if (/^[xXuU]./.test(word)) return Number.parseInt(word.slice(1), 16);
  return /^[0-3][0-7][0-7]$/.test(word) ? Number.parseInt(word, 8) : undefined;
}

function strip(token: string): { body: string; raw: boolean } {
  const raw = /^[rR]/.test(token);
  const text = (raw ? token.slice(1) : token).replace(/\r\n?/g, '\n');
  const quotes = /^(?:"""|''')/.test(text) && text.length >= 6 ? 3 : 1;
  return { body: text.slice(quotes, -quotes), raw };
}
