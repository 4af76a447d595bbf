/**
 * What is used of node:http. Imported as a module it is asked for everything that it has, its WebSocket among it, for which
 * Node loads an HTTP client of its own: 50 ms at each start. So it is taken here, and imported elsewhere for types only.
 */
import type * as http from 'node:http';

export const { Agent, createServer, IncomingMessage, request, STATUS_CODES, ServerResponse } = process.getBuiltinModule('node:http');
export type Agent = http.Agent;
export type IncomingMessage = http.IncomingMessage;
export type ServerResponse = http.ServerResponse;
