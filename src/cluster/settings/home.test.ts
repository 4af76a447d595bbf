import assert from 'node:assert/strict';
import { tmpdir, userInfo } from 'node:os';
import { test } from 'node:test';
import { cacheHome, dataHome, homeDirectory } from './home.ts';

const HOME = tmpdir();
const rows: readonly { name: string; given: () => string; want: string | RegExp }[] = [
  { name: 'HOME', given: () => homeDirectory({ HOME }), want: HOME },
  { name: 'no HOME: the system’s list of users', given: () => homeDirectory({}), want: userInfo().homedir },
  { name: 'an empty HOME', given: () => homeDirectory({ HOME: '' }), want: /"", is not there/ },
  { name: 'a HOME that is no path', given: () => homeDirectory({ HOME: 'home' }), want: /"home", is not there/ },
  { name: 'a HOME that is not there', given: () => homeDirectory({ HOME: '/nonexistent' }), want: /"\/nonexistent", is not there/ },
  { name: 'data', given: () => dataHome({ HOME }), want: `${HOME}/.local/share` },
  { name: 'data elsewhere', given: () => dataHome({ HOME: '', XDG_DATA_HOME: '/data' }), want: '/data' },
  { name: 'data at no path', given: () => dataHome({ HOME, XDG_DATA_HOME: 'data' }), want: `${HOME}/.local/share` },
  { name: 'a cache', given: () => cacheHome({ HOME, XDG_CACHE_HOME: '' }), want: `${HOME}/.cache` },
];

for (const { name, given, want } of rows) {
  test(name, () => {
    if (want instanceof RegExp) assert.throws(given, { code: 'no-home', message: want });
    else assert.equal(given(), want);
  });
}
