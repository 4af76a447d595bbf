/** What this is, as /version and `timonier version` tell it. */

import { readFileSync } from 'node:fs';
import { parseJSON } from '../api/schema/json-scan.ts';
import { ownFile } from '../client/own-file.ts';

const manifest = parseJSON(readFileSync(ownFile('../package.json'), 'utf8')) as { version: string };

export const version: string = manifest.version;
/** the Kubernetes API level */
export const kubernetesVersion = 'v1.36.3';
