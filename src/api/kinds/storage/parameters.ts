/** Rules of what is handed to a driver. Upstream: pkg/apis/storage/validation/validation.go. */
import { required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { qualifiedName } from '../shared-rules.ts';

const countMax = 512;
const bytesMax = 256 * 1024;

type Parameters = Readonly<Record<string, string>>;

export const parameters: Rule<Parameters> = (given, walk) => {
  const entries = Object.entries(given);
  if (entries.length > countMax) return walk.tooLong('', countMax);
  if (Object.hasOwn(given, '')) walk.invalid('', '', 'field can not be empty.');
  const size = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (size > bytesMax) walk.tooLong('', bytesMax);
};

export const provisioner = required<string>((name, walk) => qualifiedName(name.toLowerCase(), walk, undefined));
