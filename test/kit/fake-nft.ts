/** An nft that takes what it is given, and writes it down; it refuses as often as it is told. */
import type { NftTools } from '../../src/node/nft/kept-table.ts';

export class FakeNft implements NftTools {
  readonly scripts: string[] = [];
  failures = 0;
  /** called when the tables have been listed, before who asked hears of them */
  listed: (() => void) | undefined;
  #tables: object[] = [];
  #handle = 0;

  async nft(script: string): Promise<void> {
    this.scripts.push(script);
    if (this.failures-- > 0) throw new Error('nft: No such file or directory');
    const [, family, name] = /^add table (\S+) (\S+)\ndelete table/.exec(script) ?? [];
    if (name !== undefined) this.#tables = [{ table: { family, name, handle: ++this.#handle } }];
  }

  async nftList(): Promise<readonly object[]> {
    const tables = this.#tables;
    this.listed?.();
    return tables;
  }

  /** Somebody flushes all rules. */
  flush(): void {
    this.#tables = [];
  }
}
