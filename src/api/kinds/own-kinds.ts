/** The kinds that have a file of their own: one line each. */
import type { Kind } from '../meta/kind.ts';
import { pod } from './core/pod.ts';

export const ownKinds = [pod] as unknown as readonly Kind[];
