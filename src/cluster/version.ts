/** What this is, as /version and `timonier version` tell it. */
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

export const version: string = manifest.version;
/** the Kubernetes API level */
export const kubernetesVersion = 'v1.36.3';
