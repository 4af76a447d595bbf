/** ConfigMap: keys that can be file names, a mebibyte at most, and no change once it is marked immutable. Upstream: pkg/registry/core/configmap. */

import { ConfigMap } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { checkConfigMapKey } from '../../meta/names.ts';
import { own } from '../../meta/words.ts';
import { all, format } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';

export const dataBytesMax = 1024 * 1024;

/** An object that is marked immutable keeps the mark, and these fields. */
export function keepsData<T extends { readonly immutable?: boolean }>(...names: readonly (keyof T & string)[]): Rule<T> {
  const message = 'field is immutable when `immutable` is set';
  return (now, walk, old) => {
    if (!old?.immutable) return;
    if (!now.immutable) walk.forbidden('immutable', message);
    for (const name of names) if (!equalSemantically(now[name], old[name])) walk.forbidden(name, message);
  };
}

export const dataKey = format(checkConfigMapKey);

const data: Rule<ConfigMap> = (object, walk) => {
  let bytes = 0;
  for (const key in object.data) {
    const at = `data[${key}]`;
    walk.check(at, key, dataKey);
    if (own(object.binaryData, key) !== undefined) walk.invalid(at, key, 'duplicate of key present in binaryData');
    bytes += Buffer.byteLength(object.data[key] ?? '');
  }
  for (const key in object.binaryData) {
    walk.check(`binaryData[${key}]`, key, dataKey);
    bytes += decodedLength(object.binaryData[key] ?? '');
  }
  // the whole object is too large, not one field
  if (bytes > dataBytesMax) walk.tooLong('[]', dataBytesMax);
};

export const configMap = defineKind(ConfigMap, {
  hooks: {
    rules: all(keepsData<ConfigMap>('data', 'binaryData'), data),
    cells: nameAndAge((object) => [Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length]),
  },
});

/** How many bytes base64 text stands for. */
export const decodedLength = (base64: string): number =>
  Math.floor(((base64.length - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0)) * 3) / 4);
