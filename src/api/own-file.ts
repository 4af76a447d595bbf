/**
 * Where the files lie that come with the program and are no modules that it imports: scripts, data, entries of further
 * processes, and modules that are loaded when they are first needed. In a checkout below src/; in the package in the same
 * folders beside its code, which is bundled into files of a folder as deep as this one (rolldown.config.js).
 */
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';

const home = join(import.meta.dirname, '..');

/** `path` is as below src/. */
export const ownFile = (path: string): string => join(home, path);

/** An entry that Node can run: `path` without its extension. */
export const ownEntry = (path: string): string => ownFile(`${path}${extname(import.meta.filename)}`);

/** An entry as a module, loaded at once: what callers that can't wait need seldom. It has to be one of the bundle's. */
export const loadEntry = (path: string): unknown => createRequire(import.meta.url)(ownEntry(path)) as unknown;
