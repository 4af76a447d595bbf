/**
 * CertificateSigningRequest: what is asked for is fixed; who approves sets conditions, who signs the certificate.
 * Upstream: pkg/registry/certificates/certificates/strategy.go, pkg/apis/certificates/validation/validation.go.
 */

import type { CertificateSigningRequestCondition } from '../../generated/certificates-v1.ts';
import { CertificateSigningRequest } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { formatDuration } from '../../meta/duration.ts';
import type { WriteContext } from '../../meta/kind.ts';
import { nameIsAnything } from '../../meta/names.ts';
import { formatTime } from '../../meta/time.ts';
import type { Walk } from '../../schema/rules/walk.ts';
import { ageOf } from '../cells.ts';
import { repeats } from '../checks.ts';
import { defineKind, named } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { change, mapSame } from '../set-defaults.ts';
import { signerName } from './signer-name.ts';
import { whatIsWrongWithCertificate, whatIsWrongWithRequest } from './signing-request.ts';

type Request = CertificateSigningRequest;
type Condition = CertificateSigningRequestCondition;

const expirationSecondsMin = 600;
const decisions = ['Approved', 'Denied'];
const lastingTypes = [...decisions, 'Failed'];
const statuses = ['False', 'True', 'Unknown'];
const legacySigner = 'kubernetes.io/legacy-unknown';

export const certificateSigningRequest = defineKind(CertificateSigningRequest, {
  validateName: nameIsAnything,
  resetFields: { '': ['spec', 'status'], status: ['spec', 'status.conditions'], approval: ['spec', 'status.certificate'] },
  selectablePaths: { ...named, 'spec.signerName': '' },
  hooks: {
    prepareForCreate,
    prepareForUpdate: (object, old) => ({ ...object, spec: old.spec }),
    prepareForStatusUpdate: (object, old, by) => withTimes(withDecisionsOf(object, old), old, by),
    rules: (object, walk, old) => judgeRequest(object, walk, old, {}),
    statusRules: (object, walk, old) => judgeRequest(object, walk, old, { mayIssue: true }),
    cells: (object, at) => {
      const { spec, metadata } = object;
      const seconds = spec.expirationSeconds;
      return [
        metadata.name,
        ageOf(object, at),
        spec.signerName || '<none>',
        spec.username ?? '',
        seconds === undefined ? '<none>' : formatDuration(seconds * 1000),
        stateOf(object),
      ];
    },
    views: {
      approval: {
        prepareForUpdate: (object, old, by) => {
          const { conditions } = withTimes(object, old, by).status;
          return { ...object, spec: old.spec, status: { ...old.status, ...(conditions && { conditions }) } };
        },
        rules: (object, walk, old) => judgeRequest(object, walk, old, { mayDecide: true }),
      },
    },
  },
});

/** Who asks is who is logged in. */
function prepareForCreate(object: Request, by?: WriteContext): Request {
  const { expirationSeconds, request, signerName, usages } = object.spec;
  const { name, uid, groups, extra } = by?.user ?? {};
  const spec = {
    ...(expirationSeconds !== undefined && { expirationSeconds }),
    ...(extra && Object.keys(extra).length > 0 && { extra }),
    ...(groups?.length && { groups }),
    request,
    signerName,
    ...(uid && { uid }),
    ...(usages && { usages }),
    ...(name && { username: name }),
  };
  return { ...object, spec, status: {} };
}

const ofType = ({ status }: Request, type: string): readonly Condition[] => listOf(status.conditions).filter((c) => c.type === type);

/** Decisions are no part of the status that a signer writes. */
function withDecisionsOf(object: Request, old: Request): Request {
  let result = object;
  for (const type of decisions) {
    const kept = ofType(old, type).toReversed();
    if (kept.length !== ofType(result, type).length) continue;
    result = withConditions(result, (condition) => (condition.type === type ? (kept.pop() ?? condition) : condition));
  }
  return result;
}

const withConditions = (object: Request, map: (condition: Condition) => Condition): Request =>
  change(object, 'status', (status) => change(status, 'conditions', (conditions) => mapSame(conditions, map)));

/** Times that the client left out. */
function withTimes(object: Request, old: Request, by: WriteContext | undefined): Request {
  if (!by) return object;
  const now = formatTime(by.nowMs);
  const before = new Map<string, string>();
  for (const { type, status, lastTransitionTime } of listOf(old.status.conditions).toReversed()) {
    if (lastTransitionTime) before.set(JSON.stringify([type, status]), lastTransitionTime);
  }
  return withConditions(object, (condition) => {
    const { lastUpdateTime, lastTransitionTime } = condition;
    if (lastUpdateTime && lastTransitionTime) return condition;
    return {
      ...condition,
      lastUpdateTime: lastUpdateTime ?? now,
      lastTransitionTime: lastTransitionTime ?? before.get(JSON.stringify([condition.type, condition.status])) ?? now,
    };
  });
}

interface Rights {
  readonly mayIssue?: boolean;
  readonly mayDecide?: boolean;
}

function judgeRequest(object: Request, walk: Walk, old: Request | undefined, rights: Rights): void {
  const { spec, status } = object;
  const wrong = whatIsWrongWithRequest(spec.request ?? '');
  if (wrong) walk.invalid('spec.request', spec.request || null, wrong);
  checkUsages(walk, object, old);
  if (spec.signerName === legacySigner && old?.spec.signerName !== legacySigner) {
    walk.invalid('spec.signerName', legacySigner, 'the legacy signerName is not allowed via this API version');
  } else walk.check('spec.signerName', spec.signerName ?? '', signerName);
  const seconds = spec.expirationSeconds;
  if (seconds !== undefined && seconds < expirationSecondsMin) {
    const message = 'may not specify a duration less than 600 seconds (10 minutes)';
    walk.invalid('spec.expirationSeconds', seconds, message);
  }
  checkConditions(walk, object, old);
  const certificate = status.certificate ?? '';
  if (certificate && certificate !== old?.status.certificate) {
    const malformed = whatIsWrongWithCertificate(certificate);
    if (malformed) walk.invalid('status.certificate', '<certificate data>', malformed);
  }
  if (old) checkUpdate(walk, object, old, rights);
}

function checkUsages(walk: Walk, { spec }: Request, old: Request | undefined): void {
  const usages = listOf(spec.usages);
  if (!usages.length) walk.required('spec.usages');
  if (old) return;
  const isRepeated = repeats<string>();
  usages.forEach((usage, i) => {
    if (isRepeated(usage)) walk.duplicate(`spec.usages[${i}]`, usage);
  });
}

function checkConditions(walk: Walk, object: Request, old: Request | undefined): void {
  const path = 'status.conditions';
  const types = new Set<string>();
  const wereBoth = old && decisions.every((type) => ofType(old, type).length > 0);
  listOf(object.status.conditions).forEach(({ type, status }, i) => {
    const at = `${path}[${i}]`;
    if (!type) walk.required(`${at}.type`);
    const allowed = lastingTypes.includes(type) ? ['True'] : statuses;
    if (!status) walk.required(`${at}.status`);
    else if (!allowed.includes(status)) walk.notSupported(`${at}.status`, status, allowed);
    const other = decisions.find((decision) => decision !== type);
    if (decisions.includes(type) && other && types.has(other) && !wereBoth) {
      walk.invalid(path, type, 'Approved and Denied conditions are mutually exclusive');
    }
    if (types.has(type)) walk.duplicate(`${at}.type`, type);
    types.add(type);
  });
}

function checkUpdate(walk: Walk, object: Request, old: Request, { mayIssue, mayDecide }: Rights): void {
  const forbid = (field: string, message: string): void => walk.forbidden(`status.${field}`, message);
  for (const type of lastingTypes) {
    const [before, now] = [ofType(old, type), ofType(object, type)];
    if (now.length < before.length) forbid('conditions', `updates may not remove a condition of type "${type}"`);
    else if (!mayDecide && decisions.includes(type)) {
      if (now.length > before.length) forbid('conditions', `updates may not add a condition of type "${type}"`);
      else if (!equalSemantically(now, before)) forbid('conditions', `updates may not modify a condition of type "${type}"`);
    }
  }
  const [before = '', now = ''] = [old.status.certificate, object.status.certificate];
  if (now === before) return;
  if (!mayIssue) forbid('certificate', 'updates may not set certificate content');
  else if (before) forbid('certificate', 'updates may not modify existing certificate content');
}

function stateOf(object: Request): string {
  const has = (type: string): boolean => ofType(object, type).length > 0;
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return `${decision}${has('Failed') ? ',Failed' : ''}${object.status.certificate ? ',Issued' : ''}`;
}
