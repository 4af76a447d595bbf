/** A guarded server, and one behind an APIService for things.example.com: on loopback, behind an address on paper. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { APIService, EndpointSlice, Namespace, Service } from '../../src/api/generated/kinds.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import type { KindRef, UnknownObject } from '../../src/api/meta/object.ts';
import { realClock } from '../../src/client/clock.ts';
import { createAuthority } from '../../src/control-plane/pki/authority.ts';
import { type GuardedServer, startGuardedServer } from './guarded-server.ts';
import { whenSeen } from './when-seen.ts';

export const Things: KindRef<UnknownObject> = {
  group: 'things.example.com',
  version: 'v1',
  resource: 'things',
  kind: 'Thing',
  namespaced: true,
};
export const groupVersionPath = '/apis/things.example.com/v1';
export const thingResource = {
  name: 'things',
  singularName: 'thing',
  namespaced: true,
  kind: 'Thing',
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'watch'],
};
export const backendNamespace = 'backend';
const apiServiceName = 'v1.things.example.com';
const address = '10.50.0.1';
const port = 8443;

export interface AggregatedServer extends AsyncDisposable {
  readonly server: GuardedServer;
  /** what the backend was asked, in order */
  readonly asked: IncomingMessage[];
  /** base64, for an APIService */
  readonly caBundle: string;
  /** where connections to the backend lead; its own port at first */
  real: number;
  /** An endpoint that is ready. */
  addEndpoint(): Promise<void>;
  register(): Promise<void>;
  unregister(): Promise<void>;
  /** It is looked after at once. */
  touch(label: string): Promise<void>;
  /** The message with which the APIService gets this reason. */
  available(reason: string, said?: RegExp): Promise<string>;
}

export type BackendAnswer = (request: IncomingMessage, response: ServerResponse) => void;

export const answerJson = (response: ServerResponse, code: number, value: object): void =>
  void response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));

export async function startAggregatedServer(
  answer: BackendAnswer,
  options: Parameters<typeof startGuardedServer>[0] = {},
): Promise<AggregatedServer> {
  const stack = new AsyncDisposableStack();
  const asked: IncomingMessage[] = [];
  const authority = await createAuthority({ commonName: 'backends', clock: realClock });
  const { certPem: cert, keyPem: key } = await authority.issue({
    commonName: 'things',
    dnsNames: [`things.${backendNamespace}.svc`],
    usages: ['server'],
  });
  const backend = createServer({ cert, key, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
  stack.defer(() => {
    backend.closeAllConnections();
    backend.close();
  });
  const network = {
    resolve: () => Promise.resolve([]),
    connect: (to: string, at: number) => connect({ host: '127.0.0.1', port: to === address && at === port ? given.real : 1 }),
  };
  const server = stack.use(await startGuardedServer({ ...options, network }));
  const { admin } = server;
  await admin.create(Namespace, { metadata: { name: backendNamespace }, spec: {} });
  await admin.create(Service, {
    metadata: { namespace: backendNamespace, name: 'things' },
    spec: { ports: [{ port: 443, targetPort: port }] },
  });
  const at = { name: apiServiceName };
  const given: AggregatedServer = {
    server,
    asked,
    caBundle: Buffer.from(authority.certPem).toString('base64'),
    real: (backend.address() as AddressInfo).port,
    async addEndpoint() {
      await admin.create(EndpointSlice, {
        metadata: { namespace: backendNamespace, name: 'things-1', labels: { 'kubernetes.io/service-name': 'things' } },
        addressType: 'IPv4',
        ports: [{ name: '', port }],
        endpoints: [{ addresses: [address], conditions: { ready: true } }],
      });
    },
    async register() {
      const { group, version } = Things;
      const { caBundle } = given;
      const service = { namespace: backendNamespace, name: 'things' };
      await admin.create(APIService, {
        metadata: at,
        spec: { group, version, groupPriorityMinimum: 1000, versionPriority: 15, caBundle, service },
      });
    },
    async unregister() {
      const gone = whenSeen(admin, APIService, at, (_, type) => type === 'DELETED');
      await admin.delete(APIService, at);
      await gone;
    },
    async touch(label) {
      await admin.patch(APIService, at, { type: 'merge', body: { metadata: { labels: { label } } } });
    },
    async available(reason, said = /(?:)/) {
      let message = '';
      await whenSeen(admin, APIService, at, ({ status }) => {
        const condition = findCondition(status.conditions, 'Available');
        message = condition?.message ?? '';
        return condition?.reason === reason && said.test(message);
      });
      return message;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  return given;
}
