/**
 * Weaknesses of containerd and runc that are public and mended in later versions. What containers can do to the machine
 * through them is out of this project's hands: it is told at start and by `timonier doctor`. Pure.
 * Judged by version alone: a distribution may have brought a fix back into an older one.
 * Sources: the security advisories of containerd/containerd and opencontainers/runc.
 */

export interface Weakness {
  readonly id: string;
  readonly what: string;
  /** the first version with the fix of each line that has one; lines after the last have it from the start */
  readonly fixedIn: readonly string[];
  /** the first version that is concerned; absent: the first of all */
  readonly since?: string;
}

const weaknesses = {
  containerd: [
    { id: 'CVE-2024-25621', what: 'its directories are open to local users', fixedIn: ['1.7.29', '2.0.7', '2.1.5', '2.2.0'] },
    { id: 'CVE-2024-40635', what: 'a user number beyond 2^31 runs as root', fixedIn: ['1.6.38', '1.7.27', '2.0.4'] },
    { id: 'CVE-2025-47290', what: 'an image that is unpacked writes to the host', fixedIn: ['2.1.1'], since: '2.1.0' },
    { id: 'CVE-2025-64329', what: 'attach to a container leaks memory', fixedIn: ['1.7.29', '2.0.7', '2.1.5', '2.2.0'] },
    { id: 'CVE-2026-50195', what: 'a checkpoint image poisons local tags', fixedIn: ['2.1.9', '2.2.5', '2.3.2'], since: '2.1.0' },
    { id: 'CVE-2026-53488', what: 'labels of images run commands on the host', fixedIn: ['1.7.33', '2.0.10', '2.1.9', '2.2.5', '2.3.2'] },
    { id: 'CVE-2026-53492', what: 'a checkpoint image brings devices and mounts', fixedIn: ['2.1.9', '2.2.5', '2.3.2'], since: '2.1.0' },
  ],
  runc: [
    { id: 'CVE-2025-31133', what: 'masked paths can be replaced by links', fixedIn: ['1.2.8', '1.3.3', '1.4.0'] },
    { id: 'CVE-2025-52565', what: 'the console of a container is mounted in a race', fixedIn: ['1.2.8', '1.3.3', '1.4.0'] },
    { id: 'CVE-2025-52881', what: 'writes to /proc can be led elsewhere', fixedIn: ['1.2.8', '1.3.3', '1.4.0'] },
  ],
} as const satisfies Readonly<Record<string, readonly Weakness[]>>;

/** Of a version as the program tells it: `1.6.20~ds1`, `v2.1.0-rc.1`. One that can't be read has none that are known. */
export function weaknessesOf(program: keyof typeof weaknesses, version: string | undefined): readonly Weakness[] {
  const given = parseVersion(version ?? '');
  if (!given) return [];
  return (weaknesses[program] as readonly Weakness[]).filter(({ fixedIn, since }) => {
    const first = parseVersion(since ?? '0.0.0');
    return first !== undefined && compare(given, first) >= 0 && !isFixed(given, fixedIn);
  });
}

/** `CVE-2024-25621 (its directories are open to local users; fixed in 1.7.29, 2.0.7), …` */
export const describeWeaknesses = (found: readonly Weakness[]): string =>
  found.map(({ id, what, fixedIn }) => `${id} (${what}; fixed in ${fixedIn.join(', ')})`).join(', ');

type Version = readonly [major: number, minor: number, patch: number];

/** Candidates for a release (`-rc.1`) count as the one before it. */
function parseVersion(text: string): Version | undefined {
  const match = /(\d+)\.(\d+)\.(\d+)(-(?:alpha|beta|rc))?/.exec(text);
  if (!match) return undefined;
  return [Number(match[1]), Number(match[2]), Number(match[3]) - (match[4] === undefined ? 0 : 1)];
}

const compare = (a: Version, b: Version): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

function isFixed(given: Version, fixedIn: readonly string[]): boolean {
  const fixes = fixedIn.map(parseVersion).filter((v) => v !== undefined);
  const own = fixes.find((v) => v[0] === given[0] && v[1] === given[1]);
  return own ? compare(given, own) >= 0 : fixes.every((v) => compare(given, v) > 0);
}
