/**
 * The machine's network tools, in this process's network namespace or in another one: `ip`, `nft`, `conntrack` and the
 * sysctls below /proc/sys/net. A failure carries the tool's own words.
 */

import { execFile } from 'node:child_process';
import { parseJSON } from '../../api/schema/json-scan.ts';

export interface NetworkTools {
  /** Gives what it prints. */
  ip(...args: readonly string[]): Promise<string>;
  /** One transaction: all of the script or nothing. */
  nft(script: string): Promise<void>;
  /** What `nft list` knows, as libnftables-json(5) has it. */
  nftList(...what: readonly string[]): Promise<readonly object[]>;
  /** Gives what it prints. */
  conntrack(...args: readonly string[]): Promise<string>;
  /** `ipv4/ip_forward`, `1` */
  sysctl(name: string, value: string): Promise<void>;
}

const outputBytesMax = 16 * 2 ** 20;
/** The largest ruleset takes seconds; a tool that hangs would hold up whoever waits for it. */
const toolMsMax = 60_000;

/** `netns` is the path of a network namespace. */
export function networkTools(netns?: string): NetworkTools {
  const enter = netns === undefined ? [] : ['nsenter', `--net=${netns}`];
  return {
    ip: (...args) => run([...enter, 'ip', ...args]),
    nft: async (script) => {
      await run([...enter, 'nft', '-f', '-'], script);
    },
    nftList: async (...what) => (parseJSON(await run([...enter, 'nft', '-j', '-a', 'list', ...what])) as { nftables: object[] }).nftables,
    conntrack: (...args) => run([...enter, 'conntrack', ...args]),
    sysctl: async (name, value) => {
      await run([...enter, 'sh', '-c', 'echo "$2" > "/proc/sys/net/$1"', 'sysctl', name, value]);
    },
  };
}

function run([program = '', ...args]: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: outputBytesMax, timeout: toolMsMax }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${[program, ...args].join(' ')}: ${stderr.trim() || error.message}`, { cause: error }));
      else resolve(stdout);
    });
    // a tool that ends without reading everything is told by its exit
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });
}
