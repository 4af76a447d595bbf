/**
 * Base64 as Go's standard encoding reads it: padded, line breaks anywhere and without meaning, bits that are left over
 * not looked at. Its cost is that of looking at each character once, twice where there are line breaks.
 * Upstream: encoding/base64 (StdEncoding).
 */

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const isDigit = Uint8Array.from({ length: 128 }, (_, code) => (digits.includes(String.fromCharCode(code)) ? 1 : 0));
const padding = 61;
const lineFeed = 10;
const carriageReturn = 13;
const isBreak = (code: number): boolean => code === lineFeed || code === carriageReturn;

/** Without its line breaks; undefined for what is no base64. */
export function canonicalBase64(text: string): string | undefined {
  let length = 0;
  let padded = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isDigit[code] === 1 && padded === 0) length++;
    else if (code === padding) padded++;
    else if (!isBreak(code)) return undefined;
  }
  if (padded > 2 || (length + padded) % 4 !== 0) return undefined;
  return length + padded === text.length ? text : withoutBreaks(text, length + padded);
}

/** Where what is no base64 begins, line breaks not counted: at a character, or where the last group lacks some. */
export function base64ErrorAt(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isDigit[code] === 1) count++;
    else if (!isBreak(code)) return count;
  }
  return count - (count % 4);
}

function withoutBreaks(text: string, length: number): string {
  const kept = Buffer.allocUnsafe(length);
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (!isBreak(code)) kept[end++] = code;
  }
  return kept.toString('latin1');
}
