/**
 * Names of fields as expressions write them: `a-b` is `a__dash__b`, and what expressions reserve stands between underscores.
 * Upstream: apiserver/pkg/cel/escaping.go.
 */
const reserved: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);
const escapes = new Map([
  ['__', '__underscores__'],
  ['.', '__dot__'],
  ['-', '__dash__'],
  ['/', '__slash__'],
]);
const unescapes = new Map([...escapes].map(([text, escaped]) => [escaped, text]));

/** Undefined for a name that no expression can write. */
export function escapeName(name: string): string | undefined {
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  if (reserved.has(name)) return `__${name}__`;
  return name.replaceAll(/__|[-./]/g, (part) => escapes.get(part) ?? part);
}

/** The field that an expression means: behind a dot, a reserved word stands for itself too. Undefined: none. */
export function fieldNamed(written: string): string | undefined {
  if (reserved.has(written)) return written;
  const name = unescapeName(written);
  return name !== undefined && escapeName(name) === written ? name : undefined;
}

/** Undefined for what is no escaped name. */
export function unescapeName(escaped: string): string | undefined {
  let isOne = true;
  const name = escaped.replaceAll(/_{2}[^_]+_{2}/g, (part) => {
    const text = unescapes.get(part);
    const word = part.slice(2, -2);
    if (text === undefined && !(reserved.has(word) && part === escaped)) isOne = false;
    return text ?? word;
  });
  return isOne ? name : undefined;
}
