/** What a client is warned of who asks for parts of bytes. Upstream: pkg/api/pod/warnings.go. */

import { quantityMilliValue } from '../meta/quantity.ts';
import type { LabelMap } from '../meta/selectors.ts';
import { own } from '../meta/words.ts';

const byteResources = ['memory', 'ephemeral-storage', 'storage'];

export function fractionWarnings(path: string, amounts: LabelMap | undefined): readonly string[] {
  return byteResources.flatMap((name) => {
    const amount = own(amounts, name);
    if (amount === undefined || quantityMilliValue(amount) % 1000 === 0) return [];
    return [`${path}[${name}]: fractional byte value "${amount}" is invalid, must be an integer`];
  });
}
