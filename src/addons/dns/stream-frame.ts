/** DNS messages in a stream: each behind its length in two bytes (RFC 1035 §4.2.2, RFC 7766). */

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(message.length + 2);
  framed.writeUInt16BE(message.length);
  framed.set(message, 2);
  return framed;
}

/** The whole messages at the beginning, and what is left; no messages at all when one is longer than `bytesMax`. */
export function unframe(received: Buffer, bytesMax: number): { messages: Buffer[] | undefined; rest: Buffer } {
  const messages: Buffer[] = [];
  let rest = received;
  while (rest.length >= 2) {
    const end = rest.readUInt16BE() + 2;
    if (end - 2 > bytesMax) return { messages: undefined, rest };
    if (rest.length < end) break;
    messages.push(rest.subarray(2, end));
    rest = rest.subarray(end);
  }
  return { messages, rest };
}
