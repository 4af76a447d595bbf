/**
 * What is used of node:http. Imported as a module it is asked for everything that it has, its WebSocket among it, for which
 * Node loads an HTTP client of its own: 50 ms at each start. So it is taken here, and imported elsewhere for types only.
 *
 * And how large the heads of messages may be, here and at every other end: Node's own limit, 16 KiB, is for browsers.
 */
import type * as http from 'node:http';

export const { Agent, createServer, IncomingMessage, request, STATUS_CODES, ServerResponse } = process.getBuiltinModule('node:http');
export type Agent = http.Agent;
export type IncomingMessage = http.IncomingMessage;
export type ServerResponse = http.ServerResponse;

/** Of a request: commands of `exec` and selectors are part of its URL. As Go's servers have it. */
export const requestHeadBytesMax = 1024 * 1024;
/** Headers of a request; further ones would be lost without a word. As upstream allows values of impersonated groups. */
export const requestHeadersMax = 16_384;
/** Of an answer, as Go's clients have it. */
export const answerHeadBytesMax = 10 * 1024 * 1024;
