/**
 * The nftables script that turns one ruleset into another. Applied in one transaction: packets see the old rules or
 * the new ones, never something between. Order matters to nft: what is referred to comes before, and goes after.
 */
import { elementNames, type ProxyTable, type Ruleset, renderBase } from './ruleset.ts';

export const emptyRuleset: Ruleset = { chains: new Map(), elements: new Map(), affinitySets: new Map() };

/** From nothing, whatever was in the table before. */
export function renderWhole({ table, podCidr }: ProxyTable, want: Ruleset): string {
  return `add table ip ${table}\ndelete table ip ${table}\n${renderBase({ table, podCidr })}${renderDifference(table, emptyRuleset, want)}`;
}

/** '' when there is nothing to change. */
export function renderDifference(table: string, have: Ruleset, want: Ruleset): string {
  const lines: string[] = [];
  for (const [name, seconds] of want.affinitySets) {
    if (have.affinitySets.has(name)) continue;
    lines.push(`add set ip ${table} ${name} { type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s; }`);
  }
  for (const name of want.chains.keys()) if (!have.chains.has(name)) lines.push(`add chain ip ${table} ${name}`);
  for (const [name, rules] of want.chains) {
    const old = have.chains.get(name);
    if (old && sameRules(old, rules)) continue;
    if (old) lines.push(`flush chain ip ${table} ${name}`);
    for (const rule of rules) lines.push(`add rule ip ${table} ${name} ${rule}`);
  }
  for (const name of elementNames) {
    const { removed, added } = changedElements(have.elements.get(name), want.elements.get(name));
    if (removed.length) lines.push(`delete element ip ${table} ${name} { ${removed.join(', ')} }`);
    if (added.length) lines.push(`add element ip ${table} ${name} { ${added.join(', ')} }`);
  }
  const gone = [...have.chains.keys()].filter((name) => !want.chains.has(name));
  for (const name of gone) lines.push(`flush chain ip ${table} ${name}`);
  for (const name of gone) lines.push(`delete chain ip ${table} ${name}`);
  for (const name of have.affinitySets.keys()) if (!want.affinitySets.has(name)) lines.push(`delete set ip ${table} ${name}`);
  return lines.length ? `${lines.join('\n')}\n` : '';
}

const sameRules = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((rule, i) => rule === b[i]);

type Elements = ReadonlyMap<string, string>;

function changedElements(have: Elements = new Map(), want: Elements = new Map()): { removed: string[]; added: string[] } {
  const removed: string[] = [];
  const added: string[] = [];
  for (const [key, value] of have) if (want.get(key) !== value) removed.push(key);
  for (const [key, value] of want) if (have.get(key) !== value) added.push(value ? `${key} : ${value}` : key);
  return { removed, added };
}
