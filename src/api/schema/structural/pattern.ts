/**
 * Regular expressions of clients, on values of clients: RE2's syntax, in time that grows with the text's length.
 *
 * Until there is an engine for that, V8's takes the pattern, where it can be seen that it won't go back over the text again
 * and again; any other pattern counts as matching.
 */
const textMax = 4096;
const compiled = new Map<string, RegExp | Error>();
const compiledMax = 2000;
/** a repetition of repetitions */
const mayRepeat = /[*+}]\)[*+{]/;

export function matchesPattern(pattern: string, text: string): boolean {
  const known = compile(pattern);
  if (!(known instanceof RegExp)) return false;
  return text.length > textMax || mayRepeat.test(pattern) || known.test(text);
}

function compile(pattern: string): RegExp | Error {
  const known = compiled.get(pattern);
  if (known) return known;
  let made: RegExp | Error;
  try {
    made = new RegExp(pattern.replace(/^\(\?[is]+\)/, ''), 'u');
  } catch (error) {
    made = new Error(`error parsing regexp: ${error instanceof Error ? error.message : ''}`);
  }
  if (compiled.size >= compiledMax) compiled.clear();
  compiled.set(pattern, made);
  return made;
}
