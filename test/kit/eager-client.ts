/**
 * A client of HTTP/1.1 on one connection, in a thread of its own, which sends its next request at the very moment in which
 * it has the last byte of an answer. Tells the codes of its answers.
 */
import { connect } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';

export interface EagerRequests {
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly path: string;
  readonly body: string;
  readonly count: number;
}

const end = '\r\n\r\n';
const { path, body, count, ...access } = workerData as EagerRequests;
const request = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}${end}${body}`;
const socket = connect({ host: '127.0.0.1', ...access });
const codes: number[] = [];
let seen = '';
socket.on('data', (bytes) => {
  seen += bytes.toString('latin1');
  const bodyAt = seen.indexOf(end) + end.length;
  if (bodyAt < end.length || seen.length < bodyAt + Number(/content-length: (\d+)/i.exec(seen)?.[1] ?? 0)) return;
  codes.push(Number(seen.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)));
  seen = '';
  if (codes.length < count) socket.write(request);
  else socket.destroy();
});
socket.once('secureConnect', () => socket.write(request));
socket.on('error', () => socket.destroy());
socket.once('close', () => parentPort?.postMessage(codes));
