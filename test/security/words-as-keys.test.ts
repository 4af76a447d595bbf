/**
 * Prototype pollution, and its harmless-looking sister: words that every object of JavaScript knows (`constructor`,
 * `toString`, `__proto__`, …) stand wherever a client may say a word. None of them is found where nobody put it, none is
 * lost where somebody did, and none ends in a fault of the server.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { ConfigMap, Pod } from '../../src/api/generated/kinds.ts';
import { builtInKinds } from '../../src/api/kinds/all.ts';
import type { Kind } from '../../src/api/meta/kind.ts';
import type { KubeObject, New } from '../../src/api/meta/object.ts';
import { isStatusError } from '../../src/api/meta/status-error.ts';
import { own } from '../../src/api/meta/words.ts';
import { decodeProtobuf } from '../../src/api/schema/decode-protobuf.ts';
import { encodeEnveloped, encodeMessage } from '../../src/api/schema/encode-protobuf.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';
import { kindsWithExample, minimalObject, storedKinds } from '../kit/minimal-objects.ts';
import { fieldOf, knownWords, oddBodies, wordValues } from '../kit/odd-bodies.ts';

let running: GuardedServer;
before(async () => {
  running = await startGuardedServer();
});
after(() => running[Symbol.asyncDispose]());

const isFault = (error: unknown): boolean => !isStatusError(error) || error.reason === 'InternalError';
const title = ({ resource, group, version }: Kind): string => `${resource}${group && `.${group}`} ${version}`;
const protobufType = 'application/vnd.kubernetes.protobuf';

/** The places in `sent` of objects with that word as a key which `got` has too, but without it. */
function lost(sent: unknown, got: unknown, word: string, path = ''): readonly string[] {
  if (typeof sent !== 'object' || sent === null || typeof got !== 'object' || got === null) return [];
  const missing = Object.hasOwn(sent, word) && !Object.hasOwn(got, word) && isMap(path) ? [path] : [];
  const below = Object.keys(sent).flatMap((key) => {
    const [before, after] = [sent, got].map((each) => own(each as Record<string, unknown>, key));
    return lost(before, after, word, `${path}.${key}`);
  });
  return [...missing, ...below];
}
/** What holds any keys; elsewhere an unknown field is pruned. */
const isMap = (path: string): boolean => /\.(labels|annotations|data|binaryData|matchLabels|limits|requests|hard)$/.test(path);

describe('in bodies', () => {
  for (const kind of storedKinds) {
    it(title(kind), async () => {
      const faults: string[] = [];
      for (const word of knownWords) {
        for (const { name, whole } of oddBodies(kind.schema, minimalObject(kind), wordValues(word))) {
          try {
            const object = await running.admin.create(kind, whole as unknown as New<KubeObject>, { dryRun: true });
            kind.hooks.cells?.(object, { nowMs: 0 });
            encodeMessage(object);
            faults.push(...lost(whole, object, word).map((path) => `${name}: lost at ${path}`));
          } catch (error) {
            if (isFault(error)) faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
          }
        }
      }
      assert.deepEqual(faults, []);
    });
  }
});

describe('in patches', () => {
  for (const kind of kindsWithExample) {
    it(title(kind), async () => {
      const { admin } = running;
      const base = minimalObject(kind);
      await admin.create(kind, base as unknown as New<KubeObject>).catch((error: unknown) => assert.ok(!isFault(error)));
      const { name, namespace } = base.metadata as { name: string; namespace?: string };
      const at = { name, ...(namespace !== undefined && { namespace }) };
      const faults: string[] = [];
      const send = async (what: string, act: () => Promise<unknown>): Promise<void> => {
        await act().catch((error: unknown) => {
          if (isFault(error)) faults.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
        });
      };
      for (const word of knownWords) {
        for (const body of [
          fieldOf(word, {}),
          { spec: fieldOf(word, { a: 1 }) },
          { metadata: { labels: fieldOf(word, 'x'), annotations: fieldOf(word, null) } },
        ]) {
          await send(`merge ${JSON.stringify(body)}`, () => admin.patch(kind, at, { type: 'merge', body }, { dryRun: true }));
          await send(`strategic ${JSON.stringify(body)}`, () => admin.patch(kind, at, { type: 'strategic', body }, { dryRun: true }));
        }
        for (const path of [`/${word}`, `/${word}/${word}`, `/spec/${word}`, `/metadata/labels/${word}`, `/metadata/${word}/a`]) {
          for (const op of ['add', 'remove', 'replace', 'test', 'copy', 'move', word]) {
            const body = [{ op, path, from: `/metadata/${word}`, value: {} }];
            await send(`json ${op} ${path}`, () => admin.patch(kind, at, { type: 'json', body }, { dryRun: true }));
          }
        }
      }
      assert.deepEqual(faults, []);
      assert.equal(({} as Record<string, unknown>)['a'], undefined, 'nothing else got the field');
    });
  }
});

describe('keys of data, whatever the form they travel in', () => {
  const collection = '/api/v1/namespaces/default/configmaps';
  const all = Object.fromEntries(knownWords.map((word) => [word, `the ${word}`]));
  const manifest = (name: string, data: object = all) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data,
  });
  const protobufOf = (object: ReturnType<typeof manifest>): Buffer => encodeEnveloped(object, encodeMessage(object));
  const writes: readonly { name: string; send: () => Promise<unknown> }[] = [
    { name: 'json', send: () => running.ask(collection, { body: manifest('json') }) },
    {
      name: 'yaml',
      send: () =>
        running.ask(collection, {
          body: `metadata:\n  name: yaml\ndata:\n${knownWords.map((word) => `  ${word}: the ${word}\n`).join('')}`,
          headers: { 'content-type': 'application/yaml' },
        }),
    },
    {
      name: 'protobuf',
      send: () => running.ask(collection, { body: protobufOf(manifest('protobuf')), headers: { 'content-type': protobufType } }),
    },
    { name: 'in-process', send: () => running.admin.create(ConfigMap, manifest('in-process') as New<ConfigMap>) },
    ...(['merge', 'strategic-merge'] as const).map((type) => ({
      name: type,
      send: async () => {
        await running.ask(collection, { body: manifest(type, { other: 'x' }) });
        const headers = { 'content-type': `application/${type}-patch+json` };
        return running.ask(`${collection}/${type}`, { method: 'PATCH', body: JSON.stringify({ data: { ...all, other: null } }), headers });
      },
    })),
    {
      name: 'json-patch',
      send: async () => {
        await running.ask(collection, { body: manifest('json-patch', {}) });
        const body = JSON.stringify([
          { op: 'add', path: '/data', value: {} },
          ...knownWords.map((word) => ({ op: 'add', path: `/data/${word}`, value: `the ${word}` })),
        ]);
        return running.ask(`${collection}/json-patch`, {
          method: 'PATCH',
          body,
          headers: { 'content-type': 'application/json-patch+json' },
        });
      },
    },
    {
      name: 'put',
      send: async () => {
        await running.ask(collection, { body: manifest('put', {}) });
        return running.ask(`${collection}/put`, { method: 'PUT', body: manifest('put') });
      },
    },
  ];
  for (const { name, send } of writes) {
    it(`written as ${name}`, async () => {
      await send();
      const reads = {
        json: JSON.parse((await running.ask(`${collection}/${name}`)).text) as ConfigMap,
        yaml: parse((await running.ask(`${collection}/${name}`, { headers: { accept: 'application/yaml' } })).text) as ConfigMap,
        protobuf: decodeProtobuf(
          (await running.ask(`${collection}/${name}`, { headers: { accept: protobufType } })).bytes,
          '',
        ) as unknown as ConfigMap,
        'in-process': await running.admin.get(ConfigMap, { name, namespace: 'default' }),
      };
      for (const [form, { data }] of Object.entries(reads)) {
        assert.deepEqual(Object.entries(data ?? {}).toSorted(), Object.entries(all).toSorted(), `read as ${form}`);
      }
    });
  }

  it('written as stringData of a Secret', async () => {
    const body = { metadata: { name: 'text' }, stringData: all, type: 'toString' };
    const { code, text } = await running.ask('/api/v1/namespaces/default/secrets', { body });
    assert.equal(code, 201, text);
    const { data } = JSON.parse(text) as { data: Record<string, string> };
    for (const word of knownWords) assert.equal(Buffer.from(own(data, word) ?? '', 'base64').toString(), `the ${word}`);
  });
});

describe('in requests', () => {
  const places: readonly {
    name: string;
    path: (word: string) => string;
    method?: string;
    body?: object;
    headers?: (word: string) => Record<string, string>;
  }[] = [
    { name: 'a resource', path: (w) => `/api/v1/${w}` },
    { name: 'a resource of a namespace', path: (w) => `/api/v1/namespaces/default/${w}` },
    { name: 'a resource to create', path: (w) => `/api/v1/namespaces/default/${w}`, method: 'POST', body: {} },
    { name: 'a group', path: (w) => `/apis/${w}` },
    { name: 'a version', path: (w) => `/apis/${w}/${w}` },
    { name: 'everything', path: (w) => `/apis/${w}/${w}/${w}/${w}/${w}` },
    { name: 'a first segment', path: (w) => `/${w}` },
    { name: 'a name', path: (w) => `/api/v1/namespaces/default/configmaps/${w}` },
    { name: 'a namespace', path: (w) => `/api/v1/namespaces/${w}/configmaps` },
    { name: 'a subresource', path: (w) => `/api/v1/namespaces/default/pods/x/${w}` },
    ...['POST', 'PUT', 'DELETE'].map((method) => ({
      name: `a subresource to ${method}`,
      path: (w: string) => `/api/v1/namespaces/default/pods/x/${w}`,
      method,
      body: {},
    })),
    {
      name: 'a subresource of a deployment to PUT',
      path: (w) => `/apis/apps/v1/namespaces/default/deployments/x/${w}`,
      method: 'PUT',
      body: {},
    },
    { name: 'a parameter', path: (w) => `/api/v1/pods?${w}=${w}` },
    { name: 'a parameter of a log', path: (w) => `/api/v1/namespaces/default/pods/x/log?${w}=x&container=${w}` },
    { name: 'a field', path: (w) => `/api/v1/pods?fieldSelector=${w}%3D${w}` },
    { name: 'a label', path: (w) => `/api/v1/pods?labelSelector=${w}%3D${w}` },
    {
      name: 'the values of parameters',
      path: (w) => `/api/v1/pods?limit=${w}&resourceVersion=${w}&resourceVersionMatch=${w}&continue=${w}&watch=${w}`,
    },
    {
      name: 'how to write',
      path: (w) => `/api/v1/namespaces/default/configmaps?dryRun=${w}&fieldValidation=${w}&fieldManager=${w}`,
      method: 'POST',
      body: {},
    },
    {
      name: 'how to delete',
      path: (w) => `/api/v1/namespaces/default/configmaps/x?propagationPolicy=${w}&gracePeriodSeconds=${w}`,
      method: 'DELETE',
    },
    {
      name: 'a content type',
      path: () => '/api/v1/namespaces/default/configmaps',
      method: 'POST',
      body: {},
      headers: (w) => ({ 'content-type': w }),
    },
    {
      name: 'a type of patch',
      path: () => '/api/v1/namespaces/default/configmaps/x',
      method: 'PATCH',
      body: {},
      headers: (w) => ({ 'content-type': w }),
    },
    { name: 'an accepted type', path: () => '/api/v1/pods', headers: (w) => ({ accept: `application/json;as=${w};g=${w};v=${w}` }) },
    { name: 'a method', path: () => '/api/v1/pods', method: 'PROPFIND' },
    { name: 'what to explain', path: (w) => `/openapi/v3/apis/${w}/${w}` },
    { name: 'a check of health', path: (w) => `/livez/${w}?exclude=${w}` },
    {
      name: 'a key of impersonation',
      path: () => '/api/v1/pods',
      headers: (w) => ({ 'impersonate-user': w, 'impersonate-group': w, [`impersonate-extra-${w}`]: w }),
    },
  ];
  for (const { name, path, method, body, headers } of places) {
    it(`as ${name}`, async () => {
      for (const word of knownWords) {
        const answer = await running.ask(path(word), {
          ...(method !== undefined && { method }),
          ...(body && { body }),
          ...(headers && { headers: headers(word) }),
        });
        assert.ok(answer.code < 500, `${word}: ${answer.code} ${answer.text}`);
      }
    });
  }

  it('no object has a label that it was not given', async () => {
    for (const word of knownWords.filter((each) => each !== '__proto__')) {
      const of = (labelSelector: string) => running.admin.list(Pod, { namespace: 'default', labelSelector });
      assert.equal((await of(word)).items.length, 0, word);
      assert.ok((await of(`!${word}`)).items.length > 0, word);
    }
  });

  it('reviews of access', async () => {
    for (const word of knownWords) {
      const resourceAttributes = { group: word, resource: word, verb: word, name: word, namespace: word, subresource: word };
      const spec = { resourceAttributes, user: word, groups: [word], extra: fieldOf(word, [word]) };
      const { code, text } = await running.ask('/apis/authorization.k8s.io/v1/subjectaccessreviews', { body: { spec } });
      assert.equal(code, 201, text);
      assert.equal((JSON.parse(text) as { status: { allowed: boolean } }).status.allowed, false);
    }
  });

  it('kinds', async () => {
    for (const word of knownWords) {
      for (const kind of builtInKinds) {
        if (!kind.verbs.includes('create') || kind.resource === 'bindings') continue;
        const path = `${kind.group ? `/apis/${kind.group}` : '/api'}/${kind.version}${kind.namespaced ? '/namespaces/default' : ''}/${kind.resource}`;
        const { code, text } = await running.ask(`${path}?dryRun=All`, { body: { apiVersion: word, kind: word, metadata: { name: 'y' } } });
        assert.equal(code, 400, text);
      }
    }
  });
});
