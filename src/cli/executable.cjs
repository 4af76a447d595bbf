/**
 * The first file of the single executable, which is Node and the package in one. The package's files lie in it as assets;
 * they are laid out once in the user's cache, under their digest, and run from there. Called with one of them as its
 * first argument, the executable runs that, as Node would: so the program starts its further processes.
 */
'use strict';
const { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const { runMain } = require('node:module');
const { homedir } = require('node:os');
const { dirname, join } = require('node:path');
const { getAsset, getAssetKeys, getRawAsset } = require('node:sea');

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'timonier'); // as home.ts has it
const home = join(cache, `executable-${getAsset('digest', 'utf8')}`);

/** Two at once do no harm: each lays out a directory of its own, and one of them gets the place. */
function layOut() {
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const temporary = mkdtempSync(`${home}.`);
  try {
    for (const key of getAssetKeys()) {
      const file = join(temporary, key);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, new Uint8Array(getRawAsset(key)));
    }
    renameSync(temporary, home);
  } catch (error) {
    rmSync(temporary, { recursive: true });
    if (!existsSync(home)) throw error;
  }
}

if (!existsSync(home)) layOut();
const [own = ''] = process.argv.slice(2, 3);
if (own.startsWith(home)) process.argv.splice(1, 1);
else process.argv[1] = join(home, 'lib/cli/main.js');
runMain();
