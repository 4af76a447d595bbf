/**
 * `$(NAME)` in commands, arguments and values of environment variables. An unknown name stays as it is written; `$$` is
 * a single dollar, so `$$(NAME)` is the text `$(NAME)`. Pure.
 * Upstream: third_party/forked/golang/expansion.
 */
export function expandReferences(text: string, lookUp: (name: string) => string | undefined): string {
  let out = '';
  let from = 0;
  for (let at = text.indexOf('$'); at >= 0 && at + 1 < text.length; at = text.indexOf('$', from)) {
    out += text.slice(from, at);
    const next = text[at + 1];
    const close = next === '(' ? text.indexOf(')', at + 2) : -1;
    if (close >= 0) {
      const name = text.slice(at + 2, close);
      out += lookUp(name) ?? `$(${name})`;
      from = close + 1;
    } else {
      out += next === '$' ? '$' : `$${next}`;
      from = at + 2;
    }
  }
  return out + text.slice(from);
}
