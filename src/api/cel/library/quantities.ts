/** Kubernetes' library of quantities (apiserver/pkg/cel/library/quantity.go). */

import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  QuantityError,
  quantityToNumber,
  subtractQuantities,
} from '../../meta/quantity.ts';
import { type Declaration, func, method } from '../environment.ts';
import * as t from '../types.ts';
import { CelError, Foreign, type Value } from '../values.ts';

export const QUANTITY = t.struct('kubernetes.Quantity');

class QuantityVal extends Foreign {
  override readonly typeName = 'kubernetes.Quantity';
  readonly text: string;
  constructor(text: string) {
    super();
    this.text = text;
  }
  override equals(other: Value): boolean {
    return other instanceof QuantityVal && compareQuantities(this.text, other.text) === 0;
  }
}

const text = (x: Value): string => (x as QuantityVal).text;
const order = (a: Value, b: Value): number => Math.sign(compareQuantities(text(a), text(b)));
const Q = QUANTITY;

export const quantityLibrary: readonly Declaration[] = [
  func('quantity', 'string_to_quantity', [t.STRING], Q, (x) => {
    const wrong = faultOf(x as string);
    if (wrong !== undefined) throw new CelError(wrong);
    return new QuantityVal(x as string);
  }),
  func('isQuantity', 'is_quantity_string', [t.STRING], t.BOOL, (x) => faultOf(x as string) === undefined),
  func('sign', 'quantity_sign', [Q], t.INT, (x) => BigInt(Math.sign(compareQuantities(text(x), '0')))),
  method('isGreaterThan', 'quantity_is_greater_than', [Q, Q], t.BOOL, (a, b) => order(a, b) > 0),
  method('isLessThan', 'quantity_is_less_than', [Q, Q], t.BOOL, (a, b) => order(a, b) < 0),
  method('compareTo', 'quantity_compare_to', [Q, Q], t.INT, (a, b) => BigInt(order(a, b))),
  method('asApproximateFloat', 'quantity_get_float', [Q], t.DOUBLE, (x) => quantityToNumber(text(x))),
  method('isInteger', 'quantity_is_integer', [Q], t.BOOL, (x) => wholeOf(text(x)) !== undefined),
  method('asInteger', 'quantity_get_int', [Q], t.INT, (x) => {
    const whole = wholeOf(text(x));
    if (whole === undefined) throw new CelError('cannot convert value to integer');
    return whole;
  }),
  method('add', 'quantity_add', [Q, Q], Q, (a, b) => new QuantityVal(addQuantities(text(a), text(b)))),
  method('add', 'quantity_add_int', [Q, t.INT], Q, (a, n) => new QuantityVal(addQuantities(text(a), String(n)))),
  method('sub', 'quantity_sub', [Q, Q], Q, (a, b) => new QuantityVal(subtractQuantities(text(a), text(b)))),
  method('sub', 'quantity_sub_int', [Q, t.INT], Q, (a, n) => new QuantityVal(subtractQuantities(text(a), String(n)))),
];

function faultOf(x: string): string | undefined {
  try {
    if (x !== x.trim()) return parseQuantity('').format;
    parseQuantity(x);
    return undefined;
  } catch (e) {
    if (e instanceof QuantityError) return e.message;
    throw e;
  }
}

function wholeOf(x: string): bigint | undefined {
  const { unscaled, scale } = parseQuantity(x);
  const divisor = 10n ** BigInt(Math.max(-scale, 0));
  if (unscaled % divisor !== 0n) return undefined;
  const whole = (unscaled / divisor) * 10n ** BigInt(Math.max(scale, 0));
  return BigInt.asIntN(64, whole) === whole ? whole : undefined;
}
