/**
 * How a parameter of a query says yes: it is there, and neither `0` nor `false`; `?watch` is enough. Upstream:
 * Convert_Slice_string_To_bool in apimachinery/pkg/runtime/conversion.go.
 */
export function isTrue(value: string | null | undefined): boolean {
  return value !== null && value !== undefined && value !== '0' && value.toLowerCase() !== 'false';
}
