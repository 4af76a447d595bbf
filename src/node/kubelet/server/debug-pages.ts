/**
 * `/statusz` and `/flagz`: for people as text, for programs that ask for it as objects of config.k8s.io. Pure.
 * Upstream: apiserver/pkg/server/{statusz,flagz}.
 */

export interface DebugPage {
  readonly kind: 'Statusz' | 'Flagz';
  readonly text: string;
  readonly fields: object;
}

const header = (name: string): string => `
kubelet ${name}
Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.
`;

export function flagz(flags: Readonly<Record<string, string>>): DebugPage {
  const lines = Object.entries(flags)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}\n`);
  return { kind: 'Flagz', text: header('flagz') + lines.join(''), fields: { flags } };
}

export function statusz(given: {
  readonly version: string;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly paths: readonly string[];
}): DebugPage {
  const { startedMs, nowMs, paths } = given;
  const version = given.version.replace(/^v/, '').replace(/[+-].*$/, '');
  const up = Math.floor((nowMs - startedMs) / 1000);
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  const text = `${header('statusz')}
Started: ${new Date(startedMs).toUTCString()}
Up: ${Math.floor(up / 3600)} hr ${twoDigits(Math.floor(up / 60) % 60)} min ${twoDigits(up % 60)} sec
Binary version: ${version}

Paths: ${paths.join(' ')}
`;
  const startTime = new Date(startedMs).toISOString().replace(/\.\d+/, '');
  return { kind: 'Statusz', text, fields: { startTime, uptimeSeconds: up, binaryVersion: version, paths } };
}

const apiVersion = 'config.k8s.io/v1beta1';

export const structuredType = ({ kind }: DebugPage): string => `application/json;v=v1beta1;g=config.k8s.io;as=${kind}`;

/** The first form that the client takes and that there is; undefined when there is none. */
export function chooseForm(page: DebugPage, accept = ''): { readonly contentType: string; readonly body: string } | undefined {
  for (const wish of accept.trim() === '' ? ['*/*'] : accept.split(',')) {
    const [type = '', ...words] = wish.split(';').map((word) => word.trim().toLowerCase());
    const parameters = new Map(words.map((word) => [word.split('=')[0] ?? '', word.split('=')[1] ?? '']));
    const isPlain = !parameters.has('as') && !parameters.has('g') && !parameters.has('v');
    if (isPlain && ['*/*', 'text/*', 'text/plain'].includes(type)) return { contentType: 'text/plain; charset=utf-8', body: page.text };
    const isStructured =
      parameters.get('as') === page.kind.toLowerCase() && parameters.get('g') === 'config.k8s.io' && parameters.get('v') === 'v1beta1';
    if (isStructured && ['*/*', 'application/*', 'application/json'].includes(type)) {
      return { contentType: structuredType(page), body: JSON.stringify({ kind: page.kind, apiVersion, metadata: {}, ...page.fields }) };
    }
  }
  return undefined;
}
