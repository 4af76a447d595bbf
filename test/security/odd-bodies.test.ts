/**
 * Whatever is in a body, its sender gets an answer that is meant for him, and never a fault of the server: each field of
 * each kind, missing, empty, null or of the wrong type, in every verb that takes a body. What is accepted can be shown
 * as a row of a table and as protobuf.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ServiceAccount } from '../../src/api/generated/kinds.ts';
import { builtInKinds } from '../../src/api/kinds/all.ts';
import type { Kind } from '../../src/api/meta/kind.ts';
import type { KubeObject, New, ObjectName } from '../../src/api/meta/object.ts';
import { isAlreadyExists, isStatusError } from '../../src/api/meta/status-error.ts';
import { encodeMessage } from '../../src/api/schema/encode-protobuf.ts';
import { objectSchema, typeNameOf } from '../../src/api/schema/types.ts';
import type { Client } from '../../src/client/client.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';
import { kindsWithExample, minimalObject, storedKinds } from '../kit/minimal-objects.ts';
import { oddBodies } from '../kit/odd-bodies.ts';

let running: GuardedServer;
let admin: Client;
before(async () => {
  running = await startGuardedServer();
  admin = running.admin;
});
after(() => running[Symbol.asyncDispose]());

/** What the server has to say of its own faults. Other 5xx are upstream's answers too. */
const isFault = (error: unknown): boolean => !isStatusError(error) || error.reason === 'InternalError';
const title = ({ resource, group, version }: Kind): string => `${resource}${group && `.${group}`} ${version}`;

/** Collects faults; a test without one has seen `asked` refusals and answers. */
class Faults {
  readonly found: string[] = [];
  asked = 0;
  async attempt<T>(what: string, act: () => Promise<T>, then?: (given: T) => void): Promise<void> {
    this.asked++;
    try {
      const given = await act();
      then?.(given);
    } catch (error) {
      if (isFault(error)) this.found.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  check(): void {
    assert.deepEqual(this.found, []);
    assert.ok(this.asked > 0);
  }
}

function show(kind: Kind, object: KubeObject): void {
  kind.hooks.cells?.(object, { nowMs: 0 });
  encodeMessage(object);
}

const asNew = (kind: Kind, body: object): New<KubeObject> => {
  const { metadata } = body as { readonly metadata?: unknown };
  const isObject = typeof metadata === 'object' && metadata !== null;
  // The in-process client takes the namespace of the URL from the object.
  return { ...body, metadata: isObject ? { ...(kind.namespaced && { namespace: 'default' }), ...metadata } : metadata } as New<KubeObject>;
};

describe('creating what is odd', () => {
  for (const kind of storedKinds) {
    it(title(kind), async () => {
      const faults = new Faults();
      for (const { name, whole, alone } of oddBodies(kind.schema, minimalObject(kind))) {
        for (const body of [whole, { metadata: { name: 'x' }, ...alone }]) {
          if (typeof body.metadata !== 'object' || body.metadata === null) continue;
          await faults.attempt(
            name,
            () => admin.create(kind, asNew(kind, body), { dryRun: true }),
            (object) => show(kind, object),
          );
        }
      }
      faults.check();
    });
  }
});

describe('changing an object into what is odd', () => {
  for (const kind of kindsWithExample) {
    it(title(kind), async () => {
      const base = minimalObject(kind);
      await admin
        .create(kind, base as unknown as New<KubeObject>)
        .catch((error: unknown) => assert.ok(isAlreadyExists(error), String(error)));
      const { name, namespace } = base.metadata as { name: string; namespace?: string };
      const at: ObjectName = { name, ...(namespace !== undefined && { namespace }) };
      const views = Object.entries(kind.subresources).filter(([, { verbs }]) => verbs.includes('patch'));
      const faults = new Faults();
      for (const { name: what, whole, alone } of oddBodies(kind.schema, base)) {
        for (const view of [undefined, ...views.map(([each]) => each)]) {
          // Of a view that shows the status, only that is worth being odd.
          if (view === 'status' && !what.startsWith('status')) continue;
          const options = { dryRun: true, ...(view !== undefined && { subresource: view }) };
          const label = `${what} (${view ?? 'whole'})`;
          const object = { ...whole, metadata: { ...(whole['metadata'] as object | undefined), ...at } } as unknown as KubeObject;
          await faults.attempt(`PUT ${label}`, () => admin.update(kind, object, options));
          await faults.attempt(`merge ${label}`, () => admin.patch(kind, at, { type: 'merge', body: alone }, options));
          await faults.attempt(`strategic ${label}`, () => admin.patch(kind, at, { type: 'strategic', body: alone }, options));
          const steps = Object.entries(alone).map(([field, value]) => ({ op: 'add', path: `/${field}`, value }));
          await faults.attempt(`json ${label}`, () => admin.patch(kind, at, { type: 'json', body: steps }, options));
        }
      }
      faults.check();
    });
  }
});

describe('asking functions what is odd', () => {
  const functions = builtInKinds.filter((kind) => !storedKinds.includes(kind) && kind.verbs.includes('create'));
  for (const kind of functions) {
    it(title(kind), async () => {
      const faults = new Faults();
      for (const { name, whole } of oddBodies(kind.schema, { spec: {}, metadata: { name: 'x' } })) {
        if (typeof whole['metadata'] !== 'object' || whole['metadata'] === null) continue;
        await faults.attempt(name, () => admin.create(kind, asNew(kind, whole)));
      }
      faults.check();
    });
  }

  const parts = storedKinds.flatMap((kind) =>
    Object.entries(kind.subresources)
      .filter(([, { verbs }]) => verbs.includes('create') && !verbs.includes('get'))
      .map(([name, { kind: body }]) => ({ kind, name, body })),
  );
  for (const { kind, name: part, body: type } of parts) {
    it(`${title(kind)}/${part}`, async () => {
      const faults = new Faults();
      const typeName = typeNameOf(type);
      assert.ok(typeName);
      await admin.create(ServiceAccount, { metadata: { name: 'x', namespace: 'default' } }).catch(() => undefined);
      const at = { name: 'x', ...(kind.namespaced && { namespace: 'default' }) };
      for (const { name, whole } of oddBodies(objectSchema(typeName), { metadata: { name: 'x' } })) {
        await faults.attempt(name, () => admin.post(kind, at, part, whole, { dryRun: true }));
      }
      faults.check();
    });
  }
});

describe('bodies without metadata, over HTTPS', () => {
  for (const kind of storedKinds) {
    it(title(kind), async () => {
      const { metadata: _, ...bare } = minimalObject(kind);
      const place = `${kind.group ? `/apis/${kind.group}` : '/api'}/${kind.version}${kind.namespaced ? '/namespaces/default' : ''}`;
      for (const body of [
        bare,
        { ...bare, metadata: null },
        { ...bare, metadata: {} },
        {},
        { ...bare, spec: null },
        { ...bare, status: null },
      ]) {
        const { code, text } = await running.ask(`${place}/${kind.resource}?dryRun=All`, { body });
        const { details } = JSON.parse(text) as { details: { causes: readonly { reason: string; field: string }[] } };
        // Upstream gives a LimitRange its uid as the name.
        if (kind.resource === 'limitranges' && code === 201) continue;
        assert.equal(code, 422, text);
        assert.ok(
          details.causes.some(({ field, reason }) => field === 'metadata.name' && reason === 'FieldValueRequired'),
          text,
        );
      }
    });
  }
});

it('of what has no name nothing else is told that would follow from it', async () => {
  for (const [group, resource, kind] of [
    ['/apis/batch/v1', 'jobs', 'Job'],
    ['/apis/batch/v1', 'cronjobs', 'CronJob'],
    ['/apis/apps/v1', 'statefulsets', 'StatefulSet'],
    ['/api/v1', 'services', 'Service'],
  ] as const) {
    const found = storedKinds.find((each) => each.kind === kind);
    assert.ok(found);
    const { metadata: _, ...bare } = minimalObject(found);
    const { text } = await running.ask(`${group}/namespaces/default/${resource}`, { body: bare });
    const { details } = JSON.parse(text) as { details: { causes: readonly { field: string }[] } };
    assert.deepEqual(
      details.causes.map(({ field }) => field),
      ['metadata.name'],
      text,
    );
  }
});
