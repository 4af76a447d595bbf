/** The steps of the chain in their order, for every sort of target and either transport. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import { errors, StatusError } from '../../../api/meta/status-error.ts';
import { silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { Audit } from '../audit/audit.ts';
import type { Answer } from '../request/answer.ts';
import {
  ApiRequest,
  type BackendTarget,
  type ConnectTarget,
  type NonResourceTarget,
  type ResourceTarget,
  type Target,
} from '../request/api-request.ts';
import { RequestChain, type Wire } from './chain.ts';
import { FlowControl } from './flow-control.ts';
import { RequestMetrics } from './request-metrics.ts';

const configMaps = builtInRegistry().current.byResource('', 'v1', 'configmaps') ?? assert.fail();
const pods = builtInRegistry().current.byResource('', 'v1', 'pods') ?? assert.fail();
const kind: ResourceTarget = {
  type: 'resource',
  kind: configMaps,
  namespace: 'n',
  name: 'a',
  subresource: undefined,
  answeredBy: undefined,
};
const path: NonResourceTarget = { type: 'nonResource', method: 'GET', path: '/version', query: new URLSearchParams(), headers: {} };
const exec = { type: 'connect', kind: pods, at: { namespace: 'n', name: 'p' }, subresource: 'exec', alsoNeeds: 'create' } as ConnectTarget;
const foos = { group: 'a.io', version: 'v1', resource: 'foos', namespace: undefined, name: undefined, subresource: undefined };
const unserved: Target = { type: 'unserved', resource: foos, isInBuiltInGroup: false };
const backend = { group: 'a.io', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 };
const elsewhere = { type: 'backend', backend, resource: foos, path: '/apis/a.io/v1/foos' } as BackendTarget;

interface Row {
  readonly name: string;
  readonly target: Target;
  readonly verb?: string;
  readonly refusal?: StatusError;
  /** what fails: a step, or an authorization as it is told */
  readonly fails?: string;
  readonly inProcess?: true;
  readonly want: string;
}

const rows: readonly Row[] = [
  {
    name: 'a kind',
    target: kind,
    want: 'authenticate RequestReceived impersonate time seat(readOnly) may(get,configmaps) perform deliver ResponseComplete(200)',
  },
  {
    name: 'a write',
    target: kind,
    verb: 'update',
    want: 'authenticate RequestReceived impersonate time seat(mutating) may(update,configmaps) perform deliver ResponseComplete(200)',
  },
  {
    name: 'a watch',
    target: kind,
    verb: 'watch',
    want: 'authenticate RequestReceived impersonate time seat(readOnly) may(watch,configmaps) perform ResponseStarted(200) goOn ResponseComplete(200)',
  },
  {
    name: 'a path waits for nobody',
    target: path,
    want: 'authenticate RequestReceived impersonate time may(get,/version) perform deliver ResponseComplete(200)',
  },
  {
    name: 'a connection needs both rights, and has no time limit',
    target: exec,
    want: 'authenticate RequestReceived impersonate may(get,pods/exec) may(create,pods/exec) perform ResponseStarted(101) goOn ResponseComplete(101)',
  },
  {
    name: 'a connection without the second right',
    target: exec,
    fails: 'may(create,pods/exec)',
    want: 'authenticate RequestReceived impersonate may(get,pods/exec) may(create,pods/exec) ResponseStarted(403) ResponseComplete(403) refuse(403)',
  },
  {
    name: 'what is not served',
    target: unserved,
    want: 'authenticate RequestReceived impersonate time may(get,foos) perform deliver ResponseComplete(404)',
  },
  {
    name: 'what another server has',
    target: elsewhere,
    want: 'authenticate RequestReceived impersonate time seat(readOnly) may(get,foos) perform ResponseStarted(200) goOn ResponseComplete(200)',
  },
  {
    name: 'what another server says of itself',
    target: { ...elsewhere, resource: undefined, path: '/apis/a.io/v1' },
    want: 'authenticate RequestReceived impersonate time seat(readOnly) may(get,/apis/a.io/v1) perform ResponseStarted(200) goOn ResponseComplete(200)',
  },
  { name: 'nobody', target: kind, fails: 'authenticate', want: 'authenticate ResponseStarted(401) refuse(401)' },
  {
    name: 'a mask that is not allowed',
    target: kind,
    fails: 'impersonate',
    want: 'authenticate RequestReceived impersonate ResponseComplete(401) refuse(401)',
  },
  {
    name: 'what is wrong is told to who may ask',
    target: kind,
    refusal: errors.pathNotFound(),
    want: 'authenticate RequestReceived impersonate time seat(readOnly) may(get,configmaps) ResponseComplete(404) refuse(404)',
  },
  {
    name: 'and to nobody else',
    target: kind,
    refusal: errors.pathNotFound(),
    fails: 'may(get,configmaps)',
    want: 'authenticate RequestReceived impersonate time seat(readOnly) may(get,configmaps) ResponseComplete(403) refuse(403)',
  },
  { name: 'in process', target: kind, inProcess: true, want: 'RequestReceived may(get,configmaps) perform ResponseComplete(200)' },
  {
    name: 'in process, refused',
    target: kind,
    inProcess: true,
    fails: 'may(get,configmaps)',
    want: 'RequestReceived may(get,configmaps) ResponseComplete(403)',
  },
  { name: 'in process, a path', target: path, inProcess: true, want: 'RequestReceived may(get,/version) perform ResponseComplete(200)' },
];

const answers: Readonly<Record<Target['type'], Answer>> = {
  resource: { type: 'status', code: 200, status: { kind: 'Status', apiVersion: 'v1' } },
  nonResource: { type: 'page', code: 200, page: { status: 200, headers: {}, body: '' } },
  connect: { type: 'connection', code: 101, run: () => Promise.resolve() },
  reading: { type: 'page', code: 200, page: { status: 200, headers: {}, body: '' } },
  backend: { type: 'connection', code: 200, run: () => Promise.resolve() },
  backendCall: { type: 'status', code: 200, status: { kind: 'Status', apiVersion: 'v1' } },
  unserved: { type: 'page', code: 404, page: { status: 404, headers: {}, body: '' } },
};

function stageOf(line: string): string {
  const { stage, responseStatus } = JSON.parse(line) as { readonly stage: string; readonly responseStatus?: { readonly code: number } };
  return `${stage}${responseStatus ? `(${responseStatus.code})` : ''}`;
}

async function stepsOf({ target, verb = 'get', refusal, fails, inProcess }: Row): Promise<string> {
  const steps: string[] = [];
  let code = 0;
  const step = <T>(name: string, then: T): T => {
    steps.push(name);
    if (name === fails) throw errors.unauthorized();
    return then;
  };
  const user = { name: 'jane', groups: [] };
  const clock = new VirtualClock();
  const flow = new FlowControl();
  const watch = { type: 'watch', code: 200, watch: { start: () => undefined, stop: () => undefined } } as const;
  const chain = new RequestChain({
    flow: { enter: (each, who) => step(`seat(${each})`, flow.enter(each, who)) },
    authorize({ verb: asked, resource, path: asks }) {
      const what = `may(${asked},${resource ? [resource.resource, resource.subresource].filter(Boolean).join('/') : asks})`;
      steps.push(what);
      return { verdict: what === fails ? 'no-opinion' : 'allow', reason: '' };
    },
    async perform() {
      return step('perform', verb === 'watch' ? watch : answers[target.type]);
    },
    audit: new Audit({ policy: { rules: [{ level: 'Metadata' }] }, sink: { write: (line) => steps.push(stageOf(line)) }, clock }),
    acts: { isWatched: false, refused: () => undefined },
    metrics: new RequestMetrics(),
    clock,
    wireClock: clock,
    log: silentLog,
  });
  const source = {
    id: '',
    sourceIPs: [],
    userAgent: undefined,
    signal: new AbortController().signal,
    why: () => undefined,
    warn: () => undefined,
  };
  const request = new ApiRequest({ source, startMs: 0, verb, target, refusal, user: inProcess && user });
  if (inProcess) {
    await chain.answer(request).catch((error: unknown) => assert.ok(error instanceof StatusError));
    return steps.join(' ');
  }
  const wire: Wire = {
    authenticate: () => step('authenticate', user),
    impersonate: (same) => step('impersonate', same),
    announcedBytes: 0,
    isOver: false,
    timed: (work) => step('time', work)(),
    async deliver(answer) {
      code = step('deliver', answer.code);
    },
    async goOn(answer, began) {
      if (answer.type === 'connection') began(answer.code);
      code = step('goOn', answer.code);
    },
    async refuse(error) {
      code = step(`refuse(${error.code})`, error.code);
    },
    get code() {
      return code;
    },
    size: 0,
  };
  await chain.serve(request, wire);
  return steps.join(' ');
}

for (const row of rows) test(`the way of a request: ${row.name}`, async () => assert.equal(await stepsOf(row), row.want));
