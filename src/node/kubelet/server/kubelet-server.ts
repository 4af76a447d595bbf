/**
 * The kubelet's own HTTPS API: logs, exec, attach, port-forward, run, pods, health, stats and metrics of this node. The
 * API server asks it, and metrics servers.
 * Every request is authenticated and authorized (request-authority.ts); nobody is anonymous.
 * Upstream: pkg/kubelet/server/server.go.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Container, Pod } from '../../../api/generated/core-v1.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock } from '../../../client/clock.ts';
import { detach } from '../../../client/detached.ts';
import type { Log } from '../../../client/log.ts';
import { requestHeadBytesMax, requestHeadersMax } from '../../../client/transport/node-http.ts';
import { contextOf, requestContext } from '../../../client/transport/request-context.ts';
import type { FileGate } from '../../files/file-gate.ts';
import { type ContainerRuntime, RuntimeError } from '../../runtime/container-runtime.ts';
import type { ServingOptions } from '../kubelet-options.ts';
import type { KubeletSettings } from '../kubelet-settings.ts';
import { observePod } from '../pod/observe-pod.ts';
import { findContainer } from '../pod/observed-pod.ts';
import type { ProbeAnswers } from '../probes/probe-manager.ts';
import type { Terminations } from '../status/container-terminations.ts';
import { chooseLogContainer, containerLog, parseLogOptions } from './container-logs.ts';
import { chooseForm, type DebugPage, flagz, statusz, structuredType } from './debug-pages.ts';
import { healthMetrics, type Metric, ownMetrics, probeMetrics, renderMetrics, resourceMetrics } from './metrics.ts';
import { nodeLogs } from './node-logs.ts';
import { NodeStatistics } from './node-statistics.ts';
import { chooseChannelProtocol, type RemoteCommand, serveRemoteCommand } from './remote-command.ts';
import { RequestAuthority, subresourcesOf, verbOf } from './request-authority.ts';
import type { Summary } from './stats.ts';
import { proxyUpgrade, renderErrorAnswer, tunneledProtocols, tunnelSpdy } from './streaming-proxy.ts';
import { claimMetrics, VolumeMeter, type VolumesView } from './volume-stats.ts';
import type { UpgradeRequest } from './websocket-upgrade.ts';
import { isWebSocket, offeredProtocols } from './websocket-upgrade.ts';

export interface KubeletServerOptions {
  readonly serving: ServingOptions;
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
  /** as the node reports it */
  readonly version: string;
  readonly dataDir: string;
  readonly gate: FileGate;
  readonly kubelet: KubeletView;
  /** absent: its own */
  readonly statistics?: NodeStatistics | undefined;
}

/** What the kubelet tells of itself. */
export interface KubeletView extends VolumesView {
  /** with the status that this kubelet computed last */
  pods(): readonly Pod[];
  terminations(): readonly Terminations[];
  probeAnswers(): readonly ProbeAnswers[];
  settings(): KubeletSettings;
}

/** An answer that is no success. */
class HTTPError extends Error {
  override readonly name = 'HTTPError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Target {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string | undefined;
  readonly container: string;
}

/** What can be read here, as `/statusz` lists it. */
const areas = ['/configz', '/containerLogs', '/flagz', '/healthz', '/logs', '/metrics', '/pods', '/runningpods', '/stats', '/statusz'];
const text = { 'content-type': 'text/plain; charset=utf-8' };
const headersMs = 30_000;

export class KubeletServer implements AsyncDisposable {
  readonly #options: KubeletServerOptions;
  readonly #server: Server;
  readonly #authority: RequestAuthority;
  readonly #stop = new AbortController();
  readonly #statistics: NodeStatistics;
  readonly #meter: VolumeMeter;
  readonly #sockets = new Set<Duplex>();
  #healthChecks = 0;

  constructor(options: KubeletServerOptions) {
    const { serving, client, clock, nodeName, gate } = options;
    this.#options = options;
    this.#statistics = options.statistics ?? new NodeStatistics(options);
    this.#authority = new RequestAuthority({ client, clock, nodeName });
    this.#meter = new VolumeMeter({ gate, clock, signal: this.#stop.signal });
    const { cert, key, clientCA } = serving;
    this.#server = createServer(
      {
        cert,
        key,
        ca: clientCA,
        requestCert: true,
        rejectUnauthorized: false,
        minVersion: 'TLSv1.2',
        headersTimeout: headersMs,
        requestTimeout: 0,
        maxHeaderSize: requestHeadBytesMax,
      },
      (request, response) =>
        detach(
          () => requestContext.run(contextOf(request.method, request.url), () => this.#answer(request, response)),
          (error) => this.#giveUp(response, error),
        ),
    );
    this.#server.maxHeadersCount = requestHeadersMax;
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      detach(
        () => requestContext.run(contextOf(request.method, request.url), () => this.#upgrade(request, socket, head)),
        (error) => this.#giveUp(socket, error),
      ),
    );
    // Twice each, as it is and with TLS: some never come so far.
    for (const event of ['connection', 'secureConnection']) {
      this.#server.on(event, (socket: Duplex) => {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
      });
    }
  }

  /** The port that was taken. */
  async listen(): Promise<number> {
    const { host, port } = this.#options.serving;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const socket of [...this.#sockets].reverse()) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  // --- requests

  /** What answers and refuses has failed itself: the exchange ends, nothing else. */
  #giveUp(exchange: { destroy(): unknown }, error: unknown): void {
    this.#options.log.error({ error }, 'a request failed by a fault of the kubelet');
    exchange.destroy();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', 'https://kubelet');
      await this.#admit(request, url.pathname);
      await this.#route(url, request, response);
    } catch (error) {
      const { status, message } = describeError(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(status, text).end(message);
    }
  }

  async #admit(request: IncomingMessage, path: string): Promise<void> {
    const who = await this.#authority.authenticate(request);
    if (!who) throw new HTTPError(401, 'Unauthorized');
    const verb = verbOf(request);
    if (await this.#authority.allows(who, verb, path)) return;
    const subresources = subresourcesOf(path).join(' ');
    throw new HTTPError(403, `Forbidden (user=${who.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources}])`);
  }

  async #route(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [area = '', ...rest] = url.pathname.split('/').slice(1);
    switch (area) {
      case 'healthz':
        this.#healthChecks++;
        response.writeHead(200, text).end('ok');
        return;
      case 'pods':
        sendJSON(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: this.#options.kubelet.pods() });
        return;
      case 'runningpods':
        sendJSON(response, {
          kind: 'PodList',
          apiVersion: 'v1',
          metadata: {},
          items: this.#options.kubelet.pods().filter((p) => p.status.phase === 'Running'),
        });
        return;
      case 'stats':
        if (rest[0] !== 'summary') throw new HTTPError(404, '404 page not found');
        sendJSON(response, await this.#summaryWithVolumes());
        return;
      case 'configz':
        sendJSON(response, { kubeletconfig: this.#options.kubelet.settings().configuration });
        return;
      case 'flagz':
        sendPage(request, response, flagz(this.#options.kubelet.settings().flags));
        return;
      case 'statusz':
        sendPage(
          request,
          response,
          statusz({ ...this.#options, startedMs: this.#statistics.startedMs, nowMs: this.#options.clock.now(), paths: areas }),
        );
        return;
      case 'metrics':
        await this.#metrics(rest, response);
        return;
      case 'containerLogs':
        await this.#logs(rest, url, request, response);
        return;
      case 'logs':
        await this.#nodeLogs(url, request, response);
        return;
      case 'run':
        if (request.method !== 'POST') throw new HTTPError(405, '405: Method Not Allowed');
        await this.#run(rest, url, response);
        return;
      case 'exec':
      case 'attach':
      case 'portForward':
        throw new HTTPError(400, 'Upgrade request required');
      default:
        throw new HTTPError(404, '404 page not found');
    }
  }

  async #summaryWithVolumes(): Promise<Summary> {
    return await this.#meter.addTo(await this.#statistics.summary(), this.#options.kubelet);
  }

  async #metrics([which]: readonly string[], response: ServerResponse): Promise<void> {
    const metrics = await this.#readMetrics(which);
    if (!metrics) throw new HTTPError(404, '404 page not found');
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(renderMetrics(metrics));
  }

  async #readMetrics(which: string | undefined): Promise<readonly Metric[] | undefined> {
    const { nodeName, kubelet } = this.#options;
    switch (which) {
      case undefined: {
        const { pods } = await this.#summaryWithVolumes();
        const containers = pods.reduce((sum, p) => sum + p.containers.length, 0);
        const own = ownMetrics({ nodeName, pods: pods.length, containers, terminations: kubelet.terminations() });
        return [...own, ...claimMetrics(pods.flatMap(({ volume = [] }) => volume))];
      }
      case 'resource':
      case 'cadvisor':
        return resourceMetrics(await this.#statistics.summary());
      case 'probes':
        return probeMetrics(kubelet.probeAnswers());
      case 'slis':
        return healthMetrics(this.#healthChecks);
      default:
        return undefined;
    }
  }

  async #nodeLogs(url: URL, { method }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (method !== 'GET' && method !== 'HEAD') throw new HTTPError(405, '405: Method Not Allowed');
    const answer = await nodeLogs(url.pathname.slice('/logs'.length), url.searchParams, this.#options);
    switch (answer.type) {
      case 'file': {
        await using file = answer.file;
        response.writeHead(200, { ...text, 'x-content-type-options': 'nosniff', 'last-modified': answer.modified.toUTCString() });
        if (method === 'HEAD' || answer.size === 0) response.end();
        else await pipeline(file.createReadStream({ start: 0, end: answer.size - 1, autoClose: false }), response);
        return;
      }
      case 'folder':
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(answer.html);
        return;
      case 'redirect':
        response.writeHead(301, { location: answer.location }).end();
        return;
      case 'refusal':
        throw new HTTPError(answer.status, answer.message);
    }
  }

  async #logs(
    [namespace = '', name = '', container = '']: readonly string[],
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { runtime, clock, gate } = this.#options;
    if (!name) throw new HTTPError(400, '{"message": "Missing podID."}');
    if (!container) throw new HTTPError(400, '{"message": "Missing container name."}');
    const options = orThrow(422, '{"message": "Invalid request."}', () => parseLogOptions(url.searchParams, clock.now()));
    const pod = this.#pod(namespace, name, `pod "${name}" does not exist`);
    if (!containersOf(pod).some((c) => c.name === container))
      throw new HTTPError(404, `container "${container}" not found in pod "${name}"`);
    const id = orThrow(400, undefined, () => chooseLogContainer(name, pod.status, { container, previous: options.previous }));
    const gone = new AbortController();
    request.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, this.#stop.signal]);
    const lines = containerLog({ runtime, clock, gate, pod, containerID: id, options, signal });
    response.writeHead(200, text);
    response.flushHeaders();
    await pipeline(lines, response, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  async #run([namespace = '', name = '', ...rest]: readonly string[], url: URL, response: ServerResponse): Promise<void> {
    const container = rest.at(-1) ?? '';
    const id = await this.#runningContainer({ namespace, name, container });
    const cmd = (url.searchParams.get('cmd') ?? '').split(' ');
    const { stdout, stderr, exitCode } = await this.#options.runtime.execSync({ containerId: id, cmd, timeoutSeconds: 0 });
    const output = Buffer.concat([stdout, stderr]);
    if (exitCode !== 0) throw new HTTPError(500, `command '${cmd.join(' ')}' exited with ${exitCode}: ${output.toString()}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end(output);
  }

  // --- streams

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const url = new URL(request.url ?? '/', 'https://kubelet');
      await this.#admit(request, url.pathname);
      await this.#stream(url, { request, socket, head });
    } catch (error) {
      const { status, message } = describeError(error);
      socket.end(renderErrorAnswer(status, message));
    }
  }

  async #stream(url: URL, upgrade: UpgradeRequest): Promise<void> {
    const { signal } = this.#stop;
    const [area = '', namespace = '', name = '', ...rest] = url.pathname.split('/').slice(1).map(decodeURIComponent);
    const offered = isWebSocket(upgrade.request) ? offeredProtocols(upgrade.request) : undefined;
    if (area === 'portForward') {
      const asked = url.searchParams.getAll('port').flatMap((p) => p.split(','));
      const ports = asked.map(Number).filter((p) => p > 0);
      const tunneled = tunneledProtocols(offered ?? []);
      if (offered && tunneled.length === 0 && ports.length === 0) throw new HTTPError(400, 'query parameter "port" is required');
      const target = await this.#portForwardURL({ namespace, name, container: '', uid: rest[0] }, ports);
      await (tunneled.length > 0 ? tunnelSpdy(upgrade, target, tunneled, signal) : proxyUpgrade(upgrade, target, signal));
      return;
    }
    if (area !== 'exec' && area !== 'attach') throw new HTTPError(404, '404 page not found');
    const [container, uid] = rest.length > 1 ? [rest[1] ?? '', rest[0]] : [rest[0] ?? '', undefined];
    const protocol = offered && chooseChannelProtocol(offered);
    if (offered && protocol === undefined) throw new HTTPError(403, `requested protocol(s) are not supported: [${offered.join(' ')}]`);
    const command = await this.#remoteCommand(area, { namespace, name, container, uid }, url.searchParams);
    if (protocol === undefined) await proxyUpgrade(upgrade, command.target, signal);
    else await serveRemoteCommand(upgrade, { ...command, protocol }, signal);
  }

  async #remoteCommand(area: 'exec' | 'attach', at: Target, query: URLSearchParams): Promise<Omit<RemoteCommand, 'protocol'>> {
    const { runtime } = this.#options;
    const streams = streamOptions(query);
    if (!streams.stdin && !streams.stdout && !streams.stderr) {
      throw new HTTPError(400, 'you must specify at least 1 of stdin, stdout, stderr');
    }
    const containerId = await this.#runningContainer(at);
    if (area === 'exec')
      return { ...streams, target: new URL(await runtime.exec({ containerId, cmd: query.getAll('command'), ...streams })) };
    const tty = containersOf(this.#pod(at.namespace, at.name)).find((c) => c.name === at.container)?.tty ?? false;
    const attached = { ...streams, stderr: streams.stderr && !tty, tty };
    return { ...attached, target: new URL(await runtime.attach({ containerId, ...attached })) };
  }

  async #portForwardURL(target: Target, ports: readonly number[]): Promise<URL> {
    const { runtime } = this.#options;
    const pod = this.#pod(target.namespace, target.name);
    if (target.uid && pod.metadata.uid !== target.uid) throw new HTTPError(404, 'pod not found');
    const observed = await observePod(runtime, pod.metadata.uid);
    const sandbox = observed.sandboxes.find((s) => s.ready);
    if (!sandbox) throw new HTTPError(404, `pod not found ("${pod.metadata.name}_${pod.metadata.namespace}")`);
    return new URL(await runtime.portForward(sandbox.id, ports));
  }

  // --- pods

  #pod(namespace: string, name: string, missing = 'pod does not exist'): Pod {
    const pod = this.#options.kubelet.pods().find((p) => p.metadata.namespace === namespace && p.metadata.name === name);
    if (!pod) throw new HTTPError(404, missing);
    return pod;
  }

  async #runningContainer({ namespace, name, uid, container }: Target): Promise<string> {
    const pod = this.#pod(namespace, name);
    if (uid && pod.metadata.uid !== uid) throw new HTTPError(404, 'pod does not exist');
    const observed = await observePod(this.#options.runtime, pod.metadata.uid);
    const found = findContainer(observed, container);
    if (found?.state !== 'running') throw new HTTPError(500, `container not found ("${container}")`);
    return found.id;
  }
}

const containersOf = ({ spec }: Pod): readonly Pick<Container, 'name' | 'tty'>[] => [
  ...spec.containers,
  ...(spec.initContainers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

function streamOptions(query: URLSearchParams): { stdin: boolean; stdout: boolean; stderr: boolean; tty: boolean } {
  const flag = (...names: readonly string[]): boolean => names.some((name) => query.get(name) === '1' || query.get(name) === 'true');
  const tty = flag('tty');
  return { stdin: flag('input', 'stdin'), stdout: flag('output', 'stdout'), stderr: flag('error', 'stderr') && !tty, tty };
}

function sendPage({ headers }: IncomingMessage, response: ServerResponse, page: DebugPage): void {
  const form = chooseForm(page, headers.accept);
  if (!form) throw new HTTPError(406, `only the following media types are accepted: text/plain, ${structuredType(page)}`);
  response.writeHead(200, { 'content-type': form.contentType }).end(form.body);
}

function sendJSON(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function orThrow<T>(status: number, message: string | undefined, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new HTTPError(status, message ?? messageOf(error));
  }
}

function describeError(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof HTTPError) return error;
  const message = messageOf(error);
  if (error instanceof RuntimeError) {
    const status = error.code === 'NotFound' ? 404 : error.code === 'ResourceExhausted' ? 429 : 500;
    return { status, message };
  }
  return { status: 500, message };
}
