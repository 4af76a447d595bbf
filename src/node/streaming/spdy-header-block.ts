/**
 * The header blocks of SPDY/3: names and values, compressed in one zlib stream per direction of a connection, which each
 * block ends with a flush. Written blocks are not compressed (stored blocks are valid too, and the few headers are
 * short); read ones are inflated synchronously, on what the ones before left as dictionary.
 * Specified in draft-mbelshe-httpbis-spdy-00, 2.6.10.
 */

import { constants, inflateRawSync } from 'node:zlib';
import { put } from '../../api/meta/words.ts';

export type SpdyHeaders = Readonly<Record<string, string>>;

const inflatedBytesMax = 64 * 1024;
const windowBytes = 32 * 1024;
/** Of one block: streams have three or four. */
const headersMax = 1000;

const dictionaryWords =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow ' +
  'authorization cache-control connection content-base content-encoding content-language content-length ' +
  'content-location content-md5 content-range content-type date etag expect expires from host if-match ' +
  'if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma ' +
  'proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade ' +
  'user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie ' +
  'keep-alive origin';
const dictionaryTail =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative ' +
  'Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal ' +
  'Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, ' +
  'Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,' +
  'application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8' +
  'charset=iso-8859-1,utf-,*,enq=0.';

export const spdyDictionary = Buffer.concat([
  ...dictionaryWords.split(' ').flatMap((word) => lengthAndText(word.replace('_', ' '))),
  Buffer.from(dictionaryTail),
]);

/** Header blocks as they are sent, in order. */
export class HeaderWriter {
  #started = false;

  write(headers: SpdyHeaders): Buffer {
    const entries = Object.entries(headers);
    const block = Buffer.concat([
      uint32(entries.length),
      ...entries.flatMap(([name, value]) => [...lengthAndText(name), ...lengthAndText(value)]),
    ]);
    if (block.length > 0xffff) throw new RangeError('the headers are too long for one block');
    const start = this.#started ? [] : [Buffer.of(0x78, 0x01)];
    this.#started = true;
    const length = Buffer.alloc(5);
    length.writeUInt16LE(block.length, 1);
    length.writeUInt16LE(~block.length & 0xffff, 3);
    // An empty stored block is zlib's flush.
    return Buffer.concat([...start, length, block, Buffer.of(0, 0, 0, 0xff, 0xff)]);
  }
}

/** Header blocks as they are received, in order: each needs those before it. */
export class HeaderReader {
  #window: Buffer | undefined;

  read(compressed: Buffer): SpdyHeaders {
    let deflated = compressed;
    if (!this.#window) {
      const presetDictionary = ((compressed[1] ?? 0) & 0x20) !== 0;
      this.#window = spdyDictionary;
      deflated = compressed.subarray(presetDictionary ? 6 : 2);
    }
    const block = inflateRawSync(deflated, {
      dictionary: this.#window,
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: inflatedBytesMax,
    });
    this.#window = Buffer.concat([this.#window, block]).subarray(-windowBytes);
    const headers: Record<string, string> = {};
    let at = 4;
    const text = (): string => {
      const from = at + 4;
      at = from + block.readUInt32BE(at);
      if (at > block.length) throw new RangeError('a header is longer than its block');
      return block.toString('utf8', from, at);
    };
    const count = block.readUInt32BE(0);
    if (count > headersMax) throw new RangeError(`a block of ${count} headers`);
    for (let left = count; left > 0; left--) {
      const name = text();
      put(headers, name, text());
    }
    return headers;
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function lengthAndText(text: string): [Buffer, Buffer] {
  const bytes = Buffer.from(text);
  return [uint32(bytes.length), bytes];
}
