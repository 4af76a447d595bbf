import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointSlice, Ingress, IngressClass, Service } from '../../api/generated/kinds.ts';
import { readAnnotations } from './annotations.ts';
import { type BackendRef, compileIngresses, isOurs } from './compile-ingress.ts';
import { resolveBackend } from './endpoints.ts';
import { nextStatus, planDefaultMark } from './ingress-controller.ts';
import { defaultPolicy } from './route-policy.ts';
import { portsFor } from './start-ingress.ts';

const nginx = 'nginx.ingress.kubernetes.io/';
const service = (name: string, port: number | string = 80) => ({
  service: { name, port: typeof port === 'string' ? { name: port } : { number: port } },
});

interface Given {
  readonly name?: string;
  readonly created?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec: object;
}
const ingress = ({ name = 'web', created = '2026-01-01T00:00:00Z', annotations, spec }: Given): Ingress =>
  ({ metadata: { namespace: 'shop', name, uid: name, creationTimestamp: created, annotations }, spec, status: {} }) as unknown as Ingress;
const oneRule = (path: object, host = 'a.b') => ({ rules: [{ host, http: { paths: [path] } }] });
const root = { path: '/', pathType: 'Prefix', backend: service('web') };

describe('an Ingress compiled', () => {
  const found = (ingresses: Ingress[], host: string, path: string) => compileIngresses(ingresses).table.find(host, path)?.route;

  it('uses Services of its own namespace', () => {
    assert.deepEqual(found([ingress({ spec: oneRule(root, 'A.b') })], 'a.b', '/x')?.backend, {
      namespace: 'shop',
      service: 'web',
      port: 80,
      protocol: undefined,
      connectMs: 5000,
    });
  });
  it('finds a port by name', () => {
    assert.equal(found([ingress({ spec: oneRule({ ...root, backend: service('web', 'http') }) })], 'a.b', '/')?.backend?.port, 'http');
  });
  it('has an ImplementationSpecific path as a prefix, a missing one as the root', () => {
    assert.ok(found([ingress({ spec: oneRule({ pathType: 'ImplementationSpecific', backend: service('web') }) })], 'a.b', '/x/y'));
  });
  it('has its default backend for its own hosts, or for all when it has no rules', () => {
    const [of, all] = [
      ingress({ spec: { ...oneRule({ ...root, path: '/x' }), defaultBackend: service('rest') } }),
      ingress({ name: 'all', spec: { defaultBackend: service('all') } }),
    ];
    const asked = [
      ['a.b', '/'],
      ['a.b', '/x'],
      ['c.d', '/'],
    ].map(([host = '', path = '']) => found([all, of], host, path)?.backend?.service);
    assert.deepEqual(asked, ['rest', 'web', 'all']);
  });
  it('that is older has a path that two claim, and the other is told', () => {
    const [older, newer] = [
      ingress({ name: 'z', spec: oneRule(root) }),
      ingress({ name: 'a', created: '2026-01-02T00:00:00Z', spec: oneRule({ ...root, backend: service('other') }) }),
    ];
    const compiled = compileIngresses([newer, older]);
    assert.equal(compiled.table.find('a.b', '/')?.route.owner, 'shop/z');
    assert.deepEqual(compiled.problemsOf('shop/a'), [{ reason: 'Conflict', message: 'a.b / is routed by Ingress shop/z, which is older' }]);
    assert.deepEqual(compiled.problemsOf('shop/z'), []);
  });
  it('says which Secret has the certificate of a host, in its own namespace; of all its hosts where it names none', () => {
    const spec = { ...oneRule(root), tls: [{ hosts: ['X.y'], secretName: 'x' }, { secretName: 'rest' }, { hosts: ['none.y'] }] };
    const { certificates } = compileIngresses([ingress({ spec })]);
    assert.deepEqual(
      [...certificates.values()],
      [
        { host: 'x.y', secret: 'shop/x' },
        { host: 'a.b', secret: 'shop/rest' },
        { host: 'none.y', secret: undefined },
      ],
    );
  });
  it('says what it can’t be asked for', () => {
    const resource = { apiGroup: 'x', kind: 'Bucket', name: 'b' };
    const spec = {
      rules: [
        {
          host: 'a.b',
          http: {
            paths: [
              { ...root, backend: { resource } },
              { path: '/(', pathType: 'Prefix', backend: service('web') },
            ],
          },
        },
      ],
    };
    const { problemsOf } = compileIngresses([ingress({ annotations: { [`${nginx}use-regex`]: 'true' }, spec })]);
    assert.deepEqual(
      problemsOf('shop/web').map(({ reason, message }) => (reason === 'PathNotSupported' ? message : reason)),
      ['BackendNotSupported', 'path /( is no pattern: error parsing regexp: missing closing ): `(?i)/(`'],
    );
  });
  for (const [name, given, served] of [
    ['of a host', (i: number) => `/(?:(?:a?){49}){2}${i}b`, 4],
    ['of one path', (i: number) => `/${i}(?:(?:(?:a?){490}){30})b`, 0],
    ['that are long', (i: number) => `/${i}${'[a-z]'.repeat(3000)}`, 0],
  ] as const)
    it(`serves no patterns that are too large together, ${name}, and says which`, () => {
      const paths = Array.from({ length: 6 }, (_, i) => ({ ...root, path: given(i) }));
      const spec = { rules: [{ host: 'a.b', http: { paths } }] };
      const { problemsOf } = compileIngresses([ingress({ annotations: { [`${nginx}use-regex`]: 'true' }, spec })]);
      const problems = problemsOf('shop/web');
      assert.deepEqual(
        problems.map(({ reason, message }) => [
          reason,
          paths.findIndex(({ path }) => message.startsWith(`path ${path.slice(0, 100)}${path[100] ? '…' : ''} is not served: `)),
        ]),
        Array.from({ length: 6 - served }, (_, i) => ['PathNotSupported', served + i]),
      );
    });
});

describe('a class', () => {
  const classOf = (name: string) =>
    ({ ours: { spec: { controller: 'timonier.dev/ingress' } }, other: { spec: { controller: 'x/y' } } })[name] as IngressClass | undefined;
  for (const [name, given, want] of [
    ['of ours', { spec: { ingressClassName: 'ours' } }, true],
    ['of ours, by the old annotation', { spec: {}, annotations: { 'kubernetes.io/ingress.class': 'ours' } }, true],
    ['of somebody else', { spec: { ingressClassName: 'other' } }, false],
    ['that is not there', { spec: { ingressClassName: 'none' } }, false],
    ['that is missing', { spec: {} }, false],
  ] as const)
    it(`${name}: ${want ? 'served' : 'left alone'}`, () => assert.equal(isOurs(ingress(given), classOf), want));

  const mark = 'ingressclass.kubernetes.io/is-default-class';
  const of = (name: string, value?: string) =>
    ({ metadata: { name, ...(value !== undefined && { annotations: { [mark]: value } }) } }) as unknown as IngressClass;
  for (const [name, classes, want] of [
    ['is marked', [of('timonier')], 'true'],
    ['stays marked', [of('timonier', 'true')], undefined],
    ['gives way to another', [of('timonier', 'true'), of('nginx', 'true')], null],
    ['is not marked beside another', [of('timonier'), of('nginx', 'true')], undefined],
    ['is left as somebody has set it', [of('timonier', 'false')], undefined],
    ['is not there', [of('nginx')], undefined],
  ] as const)
    it(`that is the default: ${name}`, () => assert.equal(planDefaultMark(classes), want));
});

describe('the status of an Ingress', () => {
  const points = [{ ip: '172.31.250.1' }];
  const withStatus = (ips: readonly string[]) =>
    ({ ...ingress({ spec: {} }), status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } } }) as Ingress;
  for (const [name, ips, given, want] of [
    ['is where it is reached', [], { ours: true, points }, points],
    ['is left as it is', ['172.31.250.1'], { ours: true, points }, undefined],
    ['is put right', ['9.9.9.9'], { ours: true, points }, points],
    ['is emptied where nothing listens', ['172.31.250.1'], { ours: true, points: [] }, []],
    ['is taken back when the class changes', ['172.31.250.1'], { ours: false, points }, []],
    ['of another controller is its own', ['9.9.9.9'], { ours: false, points }, undefined],
    ['of another controller is its own where nothing listens', ['9.9.9.9'], { ours: false, points: [] }, undefined],
  ] as const)
    it(name, () => assert.deepEqual(nextStatus(withStatus(ips), given), want));
});

describe('annotations', () => {
  const read = (given: Readonly<Record<string, string>>) =>
    readAnnotations(Object.fromEntries(Object.entries(given).map(([key, value]) => [key.includes('/') ? key : `${nginx}${key}`, value])));
  const policies: readonly [string, Readonly<Record<string, string>>, object][] = [
    ['none', {}, {}],
    ['proxy-body-size', { 'proxy-body-size': '8m' }, { bodyBytesMax: 8 * 1024 * 1024 }],
    ['proxy-body-size in capitals', { 'proxy-body-size': '1K' }, { bodyBytesMax: 1024 }],
    ['proxy-body-size of any size', { 'proxy-body-size': '0' }, { bodyBytesMax: undefined }],
    [
      'time-outs',
      { 'proxy-read-timeout': '3600', 'proxy-send-timeout': '5s', 'proxy-connect-timeout': '1' },
      { readMs: 3_600_000, sendMs: 5000, connectMs: 1000 },
    ],
    ['backend-protocol', { 'backend-protocol': 'grpc' }, { protocol: 'h2c' }],
    [
      'affinity',
      { affinity: 'cookie', 'session-cookie-name': 'at', 'session-cookie-max-age': '60', 'session-cookie-samesite': 'Lax' },
      { affinity: { name: 'at', attributes: '; Path=/; Max-Age=60; SameSite=Lax; HttpOnly' } },
    ],
    ['rewrite-target', { 'rewrite-target': '/$2' }, { rewrite: '/$2' }],
    ['of others', { 'cert-manager.io/cluster-issuer': 'x', 'meta.helm.sh/release-name': 'y', 'kubernetes.io/ingress.class': 'z' }, {}],
  ];
  for (const [name, given, want] of policies)
    it(`that are understood: ${name}`, () => {
      const { policy, problems } = read(given);
      assert.deepEqual(problems, []);
      assert.deepEqual(policy, { ...defaultPolicy, ...want });
    });

  for (const [name, given, want] of [
    ['nothing is said', {}, [true, true, false]],
    ['it is not wanted', { 'ssl-redirect': 'false' }, [false, false, false]],
    ['it is forced', { 'ssl-redirect': 'false', 'force-ssl-redirect': 'true' }, [true, true, true]],
  ] as const)
    it(`lead hosts with a certificate to TLS: ${name}`, () => {
      const spec = {
        tls: [{ hosts: ['a.b', '*.w.test'] }],
        rules: ['a.b', 'x.w.test', 'plain.test'].map((host) => ({ host, http: { paths: [root] } })),
      };
      const annotations = Object.fromEntries(Object.entries(given).map(([key, value]) => [`${nginx}${key}`, value]));
      const { table } = compileIngresses([ingress({ annotations, spec })]);
      assert.deepEqual(
        ['a.b', 'x.w.test', 'plain.test'].map((host) => table.find(host, '/')?.route.policy.redirectsToTLS),
        want,
      );
    });

  for (const [key, value] of Object.entries({
    'configuration-snippet': 'x',
    'auth-url': 'https://x',
    canary: 'true',
    'ssl-redirect': 'yes',
    'proxy-body-size': '8 apples',
    'proxy-read-timeout': 'soon',
    'backend-protocol': 'FCGI',
    affinity: 'ip',
    'session-cookie-name': 'x',
    'cors-allow-origin': '*',
    'rewrite-target': 'x',
    'denylist-source-range': '1.2.3',
    'traefik.ingress.kubernetes.io/router.tls': 'true',
    'alb.ingress.kubernetes.io/scheme': 'x',
    'haproxy.org/x': 'y',
    'nginx.org/x': 'y',
  }))
    it(`that mean nothing are named: ${key}: ${value}`, () => {
      assert.deepEqual(
        read({ [key]: value }).problems.map(({ annotation }) => annotation),
        [key.includes('/') ? key : `${nginx}${key}`],
      );
    });

  it('with addresses that can’t be read let nobody in', () => {
    const { policy, problems } = read({ 'whitelist-source-range': '10.0.0.0/8,nobody' });
    assert.deepEqual([policy.allowed?.check('10.1.2.3'), problems.length], [false, 1]);
  });
  it('with addresses let those in', () => {
    const { allowed } = read({ 'whitelist-source-range': '10.0.0.0/8, 2001:db8::/32,192.0.2.1' }).policy;
    assert.deepEqual(
      [allowed?.check('10.1.2.3'), allowed?.check('11.0.0.1'), allowed?.check('2001:db8::1', 'ipv6'), allowed?.check('192.0.2.1')],
      [true, false, true, true],
    );
  });
});

describe('the endpoints of a backend', () => {
  const ref: BackendRef = { namespace: 'shop', service: 'web', port: 'http', connectMs: 5000 };
  const of = (spec: object) => ({ metadata: {}, spec }) as unknown as Service;
  const web = of({
    ports: [
      { name: 'admin', port: 81 },
      { name: 'http', port: 80 },
    ],
  });
  const slice = (endpoints: readonly object[], more: object = {}) =>
    ({
      addressType: 'IPv4',
      ports: [
        { name: 'admin', port: 8081 },
        { name: 'http', port: 8080 },
      ],
      endpoints,
      ...more,
    }) as unknown as EndpointSlice;
  const at = (address: string, conditions: object = {}) => ({ addresses: [address], conditions });
  const leaving = { ready: false, serving: true, terminating: true };
  const rows: readonly [string, { service?: Service | undefined; slices?: EndpointSlice[]; ref?: object }, readonly string[], string?][] = [
    ['are those of the named port', { slices: [slice([at('10.0.0.1')])] }, ['10.0.0.1 8080']],
    ['are those of the numbered port', { slices: [slice([at('10.0.0.1')])], ref: { port: 81 } }, ['10.0.0.1 8081']],
    [
      'are the ready ones',
      { slices: [slice([at('10.0.0.1', { ready: false }), at('10.0.0.2', { ready: true }), at('10.0.0.3', leaving)])] },
      ['10.0.0.2 8080'],
    ],
    [
      'are those that still serve where none is ready',
      { slices: [slice([at('10.0.0.1', { ready: false }), at('10.0.0.3', leaving)])] },
      ['10.0.0.3 8080'],
    ],
    [
      'are of one family, each once',
      { slices: [slice([at('2001:db8::1')], { addressType: 'IPv6' }), slice([at('10.0.0.1')]), slice([at('10.0.0.1')])] },
      ['10.0.0.1 8080'],
    ],
    [
      'are of the other family where there is no other',
      { slices: [slice([at('2001:db8::1')], { addressType: 'IPv6' })] },
      ['2001:db8::1 8080'],
    ],
    ['are none where the address is not allowed', { slices: [slice([at('127.0.0.1')])] }, [], 'Service web has no ready endpoint'],
    ['are none in empty slices', { slices: [slice([], { endpoints: null, ports: null })] }, [], 'Service web has no ready endpoint'],
    [
      'are none of a name elsewhere',
      { service: of({ type: 'ExternalName', externalName: 'x.y' }) },
      [],
      'Service web is a name elsewhere: requests are not sent there',
    ],
    ['are none of a port that is not there', { ref: { port: 82 } }, [], 'Service web has no port 82'],
    ['are none of a Service that is not there', { service: undefined }, [], 'there is no Service web'],
  ];
  for (const [name, given, want, problem] of rows)
    it(name, () => {
      const source = { service: web, slices: [], isAllowed: (address: string) => address !== '127.0.0.1', ...given };
      const got = resolveBackend({ ...ref, ...given.ref }, source);
      assert.deepEqual([got.endpoints.map(({ address, port }) => `${address} ${port}`), got.problem], [want, problem]);
    });
  for (const [appProtocol, protocol, want] of [
    [undefined, undefined, 'http'],
    ['kubernetes.io/h2c', undefined, 'h2c'],
    ['grpc', undefined, 'h2c'],
    ['HTTPS', undefined, 'https'],
    ['kubernetes.io/ws', undefined, 'http'],
    ['constructor', undefined, 'http'],
    ['grpc', 'https', 'https'],
  ] as const)
    it(`speak ${want} for ${protocol ?? appProtocol ?? 'nothing'}`, () => {
      const got = resolveBackend(
        { ...ref, protocol },
        { service: of({ ports: [{ name: 'http', port: 80, appProtocol }] }), slices: [], isAllowed: () => true },
      );
      assert.equal(got.protocol, want);
    });
});

it('the ports that are tried: what was asked for, or the usual one, some above, any', () => {
  assert.deepEqual(portsFor(0, [80, 8080]), [0]);
  const usual = portsFor(undefined, [80, 8080]);
  assert.deepEqual([usual.slice(0, 3), usual.at(-1)], [[80, 8080, 8081], 0]);
});
