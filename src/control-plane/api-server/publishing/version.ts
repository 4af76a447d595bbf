/** What `/version` says: the Kubernetes whose API this is. Upstream: apimachinery/pkg/version. */

/** version.Info of a release (`v1.36.3`, optionally with build metadata); `gitVersion` is what clients parse. */
export function versionInfo(gitVersion: string): Readonly<Record<string, string>> {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)\./.exec(gitVersion) ?? [];
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Math.max(0, Number(minor) - 1)),
    gitVersion,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'none',
    compiler: `node-${process.version}`,
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}
