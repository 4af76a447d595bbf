/**
 * A whole nftables table as data, and the script that turns one into another. Applied in one transaction: packets see the
 * old rules or the new ones, never something between. Order matters to nft: what is referred to comes before, and goes after.
 */

export interface Ruleset {
  /** chain name → its rules; every chain but those of the base */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** sets and maps beside those of the base: name → how it is declared, which never changes under this name */
  readonly sets: ReadonlyMap<string, string>;
  /** set or map name → its elements: key → value, '' in a set */
  readonly elements: ReadonlyMap<string, Elements>;
}
export type Elements = ReadonlyMap<string, string>;

export interface Table {
  readonly family: 'ip' | 'inet';
  readonly name: string;
  /** the part that never changes: its base chains, and the sets and chains that these refer to */
  readonly base: string;
}

export const emptyRuleset: Ruleset = { chains: new Map(), sets: new Map(), elements: new Map() };
const nothing: Elements = new Map();

/** Harmless where there is none. */
export const renderRemoval = ({ family, name }: Omit<Table, 'base'>): string =>
  `add table ${family} ${name}\ndelete table ${family} ${name}\n`;

/** From nothing, whatever was in the table before. */
export const renderWhole = (table: Table, want: Ruleset): string => [...wholeOf(table, want)].join('');

/** '' when there is nothing to change. */
export const renderDifference = (table: Omit<Table, 'base'>, have: Ruleset, want: Ruleset): string =>
  [...differenceOf(table, have, want)].join('');

/** As `renderWhole`, in pieces that are each made when they are asked for. */
export function* wholeOf(table: Table, want: Ruleset): Generator<string> {
  yield `${renderRemoval(table)}table ${table.family} ${table.name} {\n${table.base}}\n`;
  yield* differenceOf(table, emptyRuleset, want);
}

/** As `renderDifference`, line by line. */
export function* differenceOf(table: Omit<Table, 'base'>, have: Ruleset, want: Ruleset): Generator<string> {
  for (const line of linesOf(table, have, want)) yield `${line}\n`;
}

function* linesOf({ family, name: table }: Omit<Table, 'base'>, have: Ruleset, want: Ruleset): Generator<string> {
  const of = `${family} ${table}`;
  for (const [name, declaration] of want.sets) if (!have.sets.has(name)) yield `add ${declaration.replace(' ', ` ${of} ${name} `)}`;
  for (const name of want.chains.keys()) if (!have.chains.has(name)) yield `add chain ${of} ${name}`;
  for (const [name, rules] of want.chains) {
    const old = have.chains.get(name);
    if (old && sameRules(old, rules)) continue;
    if (old) yield `flush chain ${of} ${name}`;
    for (const rule of rules) yield `add rule ${of} ${name} ${rule}`;
  }
  for (const name of new Set([...have.elements.keys(), ...want.elements.keys()])) {
    if (have.sets.has(name) && !want.sets.has(name)) continue; // goes as a whole
    const { removed, added } = changedElements(have.elements.get(name), want.elements.get(name));
    if (removed.length) yield `delete element ${of} ${name} { ${removed.join(', ')} }`;
    if (added.length) yield `add element ${of} ${name} { ${added.join(', ')} }`;
  }
  const gone = [...have.chains.keys()].filter((name) => !want.chains.has(name));
  for (const name of gone) yield `flush chain ${of} ${name}`;
  for (const name of gone) yield `delete chain ${of} ${name}`;
  for (const [name, declaration] of have.sets)
    if (!want.sets.has(name)) yield `delete ${declaration.slice(0, declaration.indexOf(' '))} ${of} ${name}`;
}

const sameRules = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((rule, i) => rule === b[i]);

function changedElements(have: Elements = nothing, want: Elements = nothing): { removed: string[]; added: string[] } {
  const removed: string[] = [];
  const added: string[] = [];
  for (const [key, value] of have) if (want.get(key) !== value) removed.push(key);
  for (const [key, value] of want) if (have.get(key) !== value) added.push(value ? `${key} : ${value}` : key);
  return { removed, added };
}
