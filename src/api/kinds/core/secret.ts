/**
 * Secret: `stringData` is only ever written, and becomes `data`; the type is fixed and asks for its keys.
 * Upstream: pkg/registry/core/secret.
 */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Secret } from '../../generated/kinds.ts';
import { own, put } from '../../meta/words.ts';
import { bodyValuesMax } from '../../schema/body.ts';
import { hasMoreValues, JsonSyntaxError, parseJSON } from '../../schema/json-scan.ts';
import { all, fields, immutable } from '../../schema/rules/rules.ts';
import type { Walk } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind, placed } from '../define-kind.ts';
import { omit } from '../set-defaults.ts';
import { dataBytesMax, dataKey, decodedLength, keepsData } from './config-map.ts';

export const secret = defineKind(Secret, {
  selectablePaths: { ...placed, type: '' },
  hooks: {
    default: withStringData,
    rules: all(fields({ type: immutable() }), keepsData<Secret>('data'), data),
    warnings: (object) => (object.type === 'kubernetes.io/tls' ? pairWarnings(object.data ?? {}) : []),
    cells: nameAndAge((object) => [object.type ?? '', Object.keys(object.data ?? {}).length]),
  },
});

function withStringData(object: Secret): Secret {
  const { stringData } = object;
  if (!stringData) return object;
  const data: Record<string, string> = { ...object.data };
  for (const key in stringData) put(data, key, Buffer.from(stringData[key] ?? '').toString('base64'));
  return { ...omit(object, 'stringData'), data };
}

/** Keys that a type can't do without; of basic-auth, one of the two. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/basic-auth': ['username', 'password'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};
const accountKey = 'kubernetes.io/service-account.name';

function data(object: Secret, walk: Walk): void {
  let bytes = 0;
  for (const key in object.data) {
    walk.check(`data[${key}]`, key, dataKey);
    bytes += decodedLength(object.data[key] ?? '');
  }
  if (bytes > dataBytesMax) walk.tooLong('data', dataBytesMax);
  else checkType(object, walk);
}

function checkType({ type = '', data: given = {}, metadata }: Secret, walk: Walk): void {
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.[accountKey]) {
    walk.required(`metadata.annotations[${accountKey}]`);
  }
  const keys = own(requiredKeys, type) ?? [];
  const missing = keys.filter((key) => own(given, key) === undefined || (key === 'ssh-privatekey' && !given[key]));
  if (type !== 'kubernetes.io/basic-auth' || missing.length === keys.length) {
    for (const key of missing) walk.required(`data[${key}]`);
  }
  const [first = ''] = keys;
  if (!first.startsWith('.docker') || missing.length) return;
  const problem = whatIsWrongWithJson(Buffer.from(own(given, first) ?? '', 'base64').toString());
  if (problem) walk.invalid(`data[${first}]`, '<secret contents redacted>', problem);
}

function whatIsWrongWithJson(text: string): string | undefined {
  if (!text.trim()) return 'unexpected end of JSON input';
  if (hasMoreValues(text, bodyValuesMax)) return `more than ${bodyValuesMax} values`;
  try {
    const value: unknown = parseJSON(text);
    const isObject = typeof value === 'object' && !Array.isArray(value);
    return isObject
      ? undefined
      : `json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value} into Go value of type map[string]interface {}`;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.message;
    throw error;
  }
}

/** A key that does not fit its certificate, or what is none. */
function pairWarnings(data: Readonly<Record<string, string>>): readonly string[] {
  const [certificate, key] = [data['tls.crt'], data['tls.key']].map((text) => Buffer.from(text ?? '', 'base64'));
  for (const [called, pem] of [
    ['certificate', certificate],
    ['key', key],
  ] as const) {
    if (!pem?.includes('-----BEGIN')) return [`tls: failed to find any PEM data in ${called} input`];
  }
  try {
    const fits = certificate && key && new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return fits ? [] : ['tls: private key does not match public key'];
  } catch (error) {
    if (error instanceof Error) return [`tls: failed to parse certificate or private key: ${error.message}`];
    throw error;
  }
}
