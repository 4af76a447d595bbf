/**
 * Where the files lie that come with the program and are no modules that it imports: scripts, data, entries of further
 * processes. In a checkout below src/; in the package in the same folders beside its code, which is bundled into files
 * of a folder as deep as this one (rolldown.config.js).
 */
import { extname, join } from 'node:path';

const home = join(import.meta.dirname, '..');

/** `path` is as below src/. */
export const ownFile = (path: string): string => join(home, path);

/** An entry that Node can run: `path` without its extension. */
export const ownEntry = (path: string): string => ownFile(`${path}${extname(import.meta.filename)}`);
