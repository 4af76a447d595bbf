/** The word that was probably meant: by how many letters are missing, too many, others, or in each other's place. */

/** So many mistakes are one word mistyped, as long as most of it is right. */
const mistakesMax = 2;
const mistakesShare = 0.4;
/** Longer ones are no typing mistakes. */
const lettersMax = 64;

/** Undefined when none is near. Case counts for nothing. */
export function nearWord(given: string, words: readonly string[]): string | undefined {
  if (given.length > lettersMax) return undefined;
  let near: string | undefined;
  let fewest = Math.min(mistakesMax, given.length * mistakesShare);
  for (const word of words) {
    const mistakes = distance(given.toLowerCase(), word.toLowerCase());
    if (mistakes > fewest || (mistakes === fewest && near !== undefined)) continue;
    near = word;
    fewest = mistakes;
  }
  return near;
}

/** Of Damerau and Levenshtein, in the restricted form: no letter is changed twice. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(Math.min(changed, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, isSwap ? (before[j - 2] ?? 0) + 1 : changed));
    }
    [before, above] = [above, row];
  }
  return above[b.length] ?? 0;
}
