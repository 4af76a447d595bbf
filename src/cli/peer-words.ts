/**
 * The words that people bring from kind, k3d, minikube and others, in timonier's. Pure. What no line here begins with
 * stays as it is.
 */

/** Without program and path. `name` stands for the flag that gives the cluster there (`--name`, `-n`, `-p`). */
interface PeerWords {
  readonly theirs: readonly string[];
  readonly ours: readonly string[];
}

const table: readonly PeerWords[] = [
  { theirs: ['start'], ours: ['up'] },
  { theirs: ['create', 'cluster'], ours: ['up'] },
  { theirs: ['cluster', 'create'], ours: ['up'] },
  { theirs: ['cluster', 'start'], ours: ['up'] },
  { theirs: ['stop'], ours: ['down'] },
  { theirs: ['cluster', 'stop'], ours: ['down'] },
  { theirs: ['destroy'], ours: ['delete'] },
  { theirs: ['delete', 'cluster'], ours: ['delete'] },
  { theirs: ['cluster', 'delete'], ours: ['delete'] },
  { theirs: ['ls'], ours: ['list'] },
  { theirs: ['get', 'clusters'], ours: ['list'] },
  { theirs: ['cluster', 'list'], ours: ['list'] },
  { theirs: ['cluster', 'ls'], ours: ['list'] },
  { theirs: ['profile', 'list'], ours: ['list'] },
  { theirs: ['get', 'kubeconfig'], ours: ['kubeconfig'] },
  { theirs: ['export', 'kubeconfig'], ours: ['kubeconfig'] },
  { theirs: ['export', 'logs'], ours: ['logs'] },
  { theirs: ['kubeconfig', 'get'], ours: ['kubeconfig'] },
  { theirs: ['image', 'import'], ours: ['image', 'load'] },
  { theirs: ['image', 'list'], ours: ['image', 'ls'] },
  { theirs: ['image', 'remove'], ours: ['image', 'rm'] },
  { theirs: ['load', 'docker-image'], ours: ['image', 'load'] },
  { theirs: ['load', 'image-archive'], ours: ['image', 'load'] },
  { theirs: ['server'], ours: ['run'] },
  { theirs: ['-v'], ours: ['version'] },
  { theirs: ['-V'], ours: ['version'] },
  { theirs: ['--version'], ours: ['version'] },
];

const nameFlags: ReadonlySet<string> = new Set(['--name', '-n', '--profile', '-p']);

export interface OurWords {
  readonly words: readonly string[];
  /** what to say of it, once: `"start" is "up" here` */
  readonly said?: string | undefined;
}

/** `isCluster`: a cluster of that name exists, and `delete cluster` means it. */
export function inOurWords(words: readonly string[], isCluster: (name: string) => boolean): OurWords {
  const line = table.find(({ theirs }) => theirs.every((word, i) => words[i] === word));
  if (!line) return { words };
  const [first = '', second] = line.theirs;
  if (first === line.ours[0] && second !== undefined && line.ours.length === 1 && isCluster(second)) return { words };
  const rest = words.slice(line.theirs.length);
  const isVersion = line.ours[0] === 'version';
  return {
    words: [...line.ours, ...(line.ours[0] === 'image' ? withClusterName(rest) : withPlainName(rest))],
    said: isVersion ? undefined : `"${line.theirs.join(' ')}" is "${line.ours.join(' ')}" here`,
  };
}

/** `--name X` gives the cluster as an argument. */
function withPlainName(words: readonly string[]): string[] {
  return renamed(words, (name) => [name]);
}

/** Commands about images have arguments of their own. */
function withClusterName(words: readonly string[]): string[] {
  return renamed(words, (name) => ['--cluster-name', name]);
}

function renamed(words: readonly string[], asOurs: (name: string) => string[]): string[] {
  const [word, next, ...rest] = words;
  if (word === undefined) return [];
  const [flag = '', value] = word.split('=', 2);
  if (!nameFlags.has(flag)) return [word, ...renamed(words.slice(1), asOurs)];
  if (value !== undefined) return [...asOurs(value), ...renamed(words.slice(1), asOurs)];
  return next === undefined ? [word] : [...asOurs(next), ...renamed(rest, asOurs)];
}
