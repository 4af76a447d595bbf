/**
 * Plays every transcript of ./transcripts, and compares what happens with what is written there.
 *
 *   node test/scenario/transcripts.test.ts --update     writes what happens: read the difference before it is committed
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { play } from './transcript.ts';

const dir = join(import.meta.dirname, 'transcripts');
const isUpdate = process.argv.includes('--update');

for (const file of readdirSync(dir)) {
  test(file.replace(/\.txt$/, '').replaceAll('-', ' '), async () => {
    const path = join(dir, file);
    const written = readFileSync(path, 'utf8');
    const played = await play(written);
    if (isUpdate) writeFileSync(path, played);
    else assert.equal(played, written);
  });
}
