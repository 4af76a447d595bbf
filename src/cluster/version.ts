/** What this is, as /version and `timonier version` tell it. */

import { readFileSync } from 'node:fs';
import { ownFile } from '../api/own-file.ts';
import { parseJSON } from '../api/schema/json-scan.ts';

const manifest = parseJSON(readFileSync(ownFile('../package.json'), 'utf8')) as { version: string };

export const version: string = manifest.version;
/** the Kubernetes API level */
export const kubernetesVersion = 'v1.36.3';
