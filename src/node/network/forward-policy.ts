/**
 * Lets pods' packets through a machine whose firewall forwards nothing by default, as Docker and ufw set it up: a
 * verdict in a table of our own can't overrule another's policy, so two rules per range go into that very chain,
 * marked as ours by their comment. Chains that refuse by a last rule instead of their policy (firewalld) are not seen.
 */
import type { NetworkTools } from './network-tools.ts';

export interface ForwardPolicy {
  /** marks the rules */
  readonly owner: string;
  /** whose packets may pass, in either direction */
  readonly ranges: readonly string[];
}

interface ChainName {
  readonly family: string;
  readonly table: string;
  readonly name: string;
}
interface Listed {
  readonly chain?: ChainName & { readonly hook?: string; readonly policy?: string };
  readonly rule?: { readonly handle: number; readonly comment?: string };
}

export async function allowForwarding(tools: NetworkTools, { owner, ranges }: ForwardPolicy): Promise<void> {
  for (const chain of await refusingChains(tools)) {
    const present = new Set((await ourRules(tools, { chain, owner })).map(({ comment }) => comment));
    const wanted = ranges.flatMap((range) =>
      ['saddr', 'daddr'].map((side) => ({ match: `ip ${side} ${range}`, comment: `${owner} ${side} ${range}` })),
    );
    const missing = wanted.filter(({ comment }) => !present.has(comment));
    if (missing.length > 0)
      await tools.nft(missing.map(({ match, comment }) => `insert rule ${address(chain)} ${match} accept comment "${comment}"\n`).join(''));
  }
}

export async function forgetForwarding(tools: NetworkTools, owner: string): Promise<void> {
  for (const chain of await refusingChains(tools)) {
    const rules = await ourRules(tools, { chain, owner });
    if (rules.length > 0) await tools.nft(rules.map(({ handle }) => `delete rule ${address(chain)} handle ${handle}\n`).join(''));
  }
}

const address = ({ family, table, name }: ChainName): string => `${family} ${table} ${name}`;

async function refusingChains(tools: NetworkTools): Promise<ChainName[]> {
  const listed = await tools.nftList('chains');
  return (listed as readonly Listed[]).flatMap(({ chain }) =>
    chain?.hook === 'forward' && chain.policy === 'drop' && (chain.family === 'ip' || chain.family === 'inet') ? [chain] : [],
  );
}

async function ourRules(tools: NetworkTools, { chain, owner }: { readonly chain: ChainName; readonly owner: string }) {
  const listed = await tools.nftList('chain', chain.family, chain.table, chain.name);
  return (listed as readonly Listed[]).flatMap(({ rule }) => (rule?.comment?.startsWith(`${owner} `) ? [rule] : []));
}
