/**
 * Text of clients as values of headers: printable ASCII, whatever it was, so that no header can be refused by the
 * transport, split into two, or read otherwise than it was written.
 * Upstream: apimachinery/pkg/util/net/http.go (NewWarningHeader), apiserver/pkg/endpoints/filters/warning.go.
 */

const warningCode = 299;
/** All warnings of one answer; with more, each is cut. */
const warningsCharactersMax = 4096;
const cutWarningCharactersMax = 256;
const notPrintable = /[^\x20-\x7e]+/g;
const control = /\p{Cc}/u;

/** Anything but a warning: what is not printable ASCII is percent-encoded, as in a URL. */
export function headerText(value: string): string {
  return value.replace(notPrintable, (piece) =>
    Array.from(Buffer.from(piece), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/**
 * The Warning headers of an answer: each text once, quoted. One with a control character is left out, as upstream does.
 * What is not ASCII goes as RFC 2047 has it, which client-go decodes, so that kubectl shows what the client wrote.
 */
export function warningHeaders(messages: readonly string[]): string[] {
  const texts = [...new Set(messages)]
    .filter((text) => text !== '' && text.isWellFormed() && !control.test(text))
    .map((text) => [...text.slice(0, 2 * (warningsCharactersMax + 1))]);
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  if (total <= warningsCharactersMax) return texts.map(warningHeader);
  const headers: string[] = [];
  let written = 0;
  for (const text of texts) {
    if (written >= warningsCharactersMax) break;
    const cut = text.slice(0, cutWarningCharactersMax);
    headers.push(warningHeader(cut));
    written += cut.length;
  }
  return headers;
}

function warningHeader(characters: readonly string[]): string {
  const quoted = characters.join('').replace(/["\\]/g, '\\$&').replace(notPrintable, encodedWords);
  return `${warningCode} - "${quoted}"`;
}

/** `=?utf-8?q?=E4=B8=96?=`, a word for some characters each: a decoder takes no longer one (RFC 2047, section 2). */
function encodedWords(text: string): string {
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    const encoded = Array.from(Buffer.from(character), (byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
    if (word.length + encoded.length > encodedWordMax) {
      words.push(word);
      word = '';
    }
    word += encoded;
  }
  words.push(word);
  return words.map((each) => `=?utf-8?q?${each}?=`).join(' ');
}

/** 75 characters, without those around it. */
const encodedWordMax = 75 - '=?utf-8?q??='.length;
