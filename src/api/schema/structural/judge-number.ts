/**
 * What is wrong with a number: its type's range, multipleOf, maximum, minimum. Upstream compares whole numbers as such, with
 * bounds whose fractions are cut off, and tells when a bound itself is no number of the type.
 * Upstream: kube-openapi/pkg/validation/validate/{validator,values}.go.
 */
import type { JSONSchemaProps } from '../../generated/apiextensions-v1.ts';

export interface NumberRules {
  readonly said: JSONSchemaProps;
  /** where it is one type */
  readonly numberType: string;
  readonly numberFormat: string;
}

/** `range` and `factor` have sentences of their own; `value` where it is not the number itself. */
export interface NumberFinding {
  readonly name: 'range' | 'factor' | 'bound';
  readonly text: string;
  readonly value?: number;
}

const int32Max = 2 ** 31;
const float32Max = 3.4028235677973366e38;

export function* judgeNumber(rules: NumberRules, value: number): Generator<NumberFinding> {
  const { multipleOf, maximum, exclusiveMaximum, minimum, exclusiveMinimum } = rules.said;
  const isInteger = Number.isInteger(value);
  const wrong = outOfRange(rules, value, 'Checked');
  if (wrong) yield wrong;
  const bound = function* (given: number, what: string, finding: (given: number) => NumberFinding | undefined): Generator<NumberFinding> {
    const unfit = outOfRange(rules, given, what);
    if (unfit) yield unfit;
    const found = finding(isInteger && !unfit ? Math.trunc(given) : given);
    if (found) yield found;
  };
  if (multipleOf !== undefined) yield* bound(multipleOf, 'MultipleOf', (factor) => judgeFactor(value, factor));
  if (minimum !== undefined) {
    yield* bound(minimum, 'Minimum boundary', (min) => {
      if (exclusiveMinimum ? value > min : value >= min) return undefined;
      return { name: 'bound', text: `should be greater than${exclusiveMinimum ? '' : ' or equal to'} ${formatFloat(min)}` };
    });
  }
  if (maximum !== undefined) {
    yield* bound(maximum, 'Maximum boundary', (max) => {
      if (exclusiveMaximum ? value < max : value <= max) return undefined;
      return { name: 'bound', text: `should be less than${exclusiveMaximum ? '' : ' or equal to'} ${formatFloat(max)}` };
    });
  }
}

function outOfRange({ numberType, numberFormat }: NumberRules, value: number, what: string): NumberFinding | undefined {
  let fits = true;
  if (numberType === 'integer') {
    const limit = numberFormat === 'int32' ? int32Max : 2 ** 63;
    fits = Number.isInteger(value) && value >= -limit && (limit === int32Max ? value < limit : value <= limit);
  } else if (numberFormat === 'float') fits = Math.abs(value) < float32Max;
  if (fits) return undefined;
  const format = numberFormat ? `with format ${numberFormat}` : '(default format)';
  return { name: 'range', text: `${what} value must be of type ${numberType} ${format}` };
}

function judgeFactor(value: number, factor: number): NumberFinding | undefined {
  if (factor <= 0) return { name: 'factor', text: formatFloat(factor), value: factor };
  const isMultiple =
    Number.isInteger(value) && Number.isInteger(factor)
      ? value % factor === 0
      : isWhole(factor < 1 ? (1 / factor) * value : value / factor);
  return isMultiple ? undefined : { name: 'bound', text: `should be a multiple of ${formatFloat(factor)}` };
}

/** Nearly a whole number, as floats are. */
function isWhole(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
  const whole = Math.trunc(value);
  if (whole === value) return true;
  return whole !== 0 && Math.abs(value - whole) / (Math.abs(value) + Math.abs(whole)) < 1e-9;
}

/** As Go's %v: exponents have two digits. */
export const formatFloat = (value: number): string => String(value).replace(/e([+-])(\d)$/, 'e$10$2');
