/**
 * What types and fields mean, for OpenAPI and `kubectl explain`. The texts are made when timonier is installed or built
 * (scripts/generate-descriptions.ts); where they are missing, documents show structure only.
 */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { own } from '../../../api/meta/words.ts';
import { ownFile } from '../../../api/own-file.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';

export interface Descriptions {
  ofType(typeName: string): string | undefined;
  ofField(typeName: string, field: string): string | undefined;
  /** changes with any text */
  readonly fingerprint: string;
}

export const noDescriptions: Descriptions = { ofType: () => undefined, ofField: () => undefined, fingerprint: '' };

const file = ownFile('api/data/descriptions.json');

interface DescriptionTable {
  readonly texts: readonly string[];
  /** text of the type, texts of its fields; by index */
  readonly types: Readonly<Record<string, readonly [number, Readonly<Record<string, number>>] | undefined>>;
}

/** Reads the file: some milliseconds, when the first document is asked for. */
export function readDescriptions(): Descriptions {
  if (!existsSync(file)) return noDescriptions;
  const content = readFileSync(file, 'utf8');
  const { texts, types } = parseJSON(content) as DescriptionTable;
  return {
    ofType: (typeName) => texts[own(types, typeName)?.[0] ?? -1],
    ofField: (typeName, field) => texts[own(own(types, typeName)?.[1], field) ?? -1],
    fingerprint: createHash('sha256').update(content).digest('hex'),
  };
}
