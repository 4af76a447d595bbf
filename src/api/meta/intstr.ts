/**
 * IntOrString: a number, or a string that is a number, a name or a percentage.
 * Upstream: apimachinery/pkg/util/intstr/intstr.go.
 */

export type IntOrString = string | number;

export const isPercent = (value: IntOrString): value is string => typeof value === 'string' && value.endsWith('%');

/**
 * What `value` means of `total`. Strings must be percentages.
 * Throws a plain Error in upstream's wording for other strings.
 */
export function scaleIntOrPercent(value: IntOrString, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  if (!isPercent(value)) throw new Error('invalid value for IntOrString: invalid type: string is not a percentage');
  const digits = value.slice(0, -1);
  if (!/^[-+]?\d+$/.test(digits)) {
    throw new Error(
      `invalid value for IntOrString: invalid value ${JSON.stringify(value)}: strconv.Atoi: parsing ${JSON.stringify(digits)}: invalid syntax`,
    );
  }
  const scaled = (Number(digits) * total) / 100;
  return rounding === 'up' ? Math.ceil(scaled) : Math.floor(scaled);
}
