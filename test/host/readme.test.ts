/** Types what the first block of the README shows, on a real node, and compares what is printed with what is written. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { test } from 'node:test';
import { findKubectl } from '../../src/cli/commands/kubectl.ts';
import { blocksOf, commandsOf, compare } from '../kit/console-blocks.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const root = resolve(import.meta.dirname, '../..');
const commandMsMax = 120_000;

function theFirstBlock(): void {
  test('the first block of the README is what the machine prints', { timeout: 4 * commandMsMax }, async (t) => {
    const kubectl = (await findKubectl()) ?? assert.fail('no kubectl');
    const home = mkdtempSync('/var/lib/newcomer-');
    const bin = join(home, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'timonier'), `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'src/cli/main.ts')}' "$@"\n`);
    writeFileSync(join(bin, 'kubectl'), `#!/bin/sh\nexec '${kubectl}' "$@"\n`);
    for (const program of ['timonier', 'kubectl']) chmodSync(join(bin, program), 0o755);
    const { KUBECONFIG: _, ...rest } = process.env;
    const env = { ...rest, HOME: home, TIMONIER_ROOT: join(home, 'clusters'), PATH: `${bin}${delimiter}${process.env['PATH']}` };
    const type = (command: string): Promise<readonly string[]> =>
      new Promise((done) => {
        execFile('bash', ['-c', `${command} 2>&1`], { cwd: home, env, timeout: commandMsMax }, (_error, stdout) =>
          done(stdout.split('\n')),
        );
      });
    t.after(async () => {
      await type('timonier delete');
      rmSync(home, { recursive: true, force: true });
    });
    const block = blocksOf(readFileSync(join(root, 'README.md'), 'utf8')).find(({ language }) => language === 'console');
    const commands = commandsOf(block ?? assert.fail('no block of a console'));
    assert.ok(commands.length >= 5);
    for (const { command, output } of commands) compare(command, await type(command), output);
  });
}

if (inOwnNamespaces(import.meta.url)) theFirstBlock();
