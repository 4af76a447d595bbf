/**
 * Sees the linter refuse what it is to refuse: writes one wrong import per room, a promise that is let go, and a
 * JSON.parse, runs the
 * linter on each, and expects it to be refused. A check that can't fail is no check.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const wrongImports = [
  { room: 'api', imports: '../client/clock.ts' },
  { room: 'api', imports: '../node/runtime/container-runtime.ts' },
  { room: 'api/kinds/core', imports: '../../../node/runtime/container-runtime.ts' },
  { room: 'client', imports: '../control-plane/store/storage.ts' },
  { room: 'control-plane', imports: '../node/runtime/container-runtime.ts' },
  { room: 'control-plane/scheduler', imports: '../controllers/index.ts' },
  { room: 'control-plane/scheduler', imports: '../../node/runtime/container-runtime.ts' },
  { room: 'control-plane/controllers', imports: '../scheduler/scheduler.ts' },
  { room: 'control-plane/api-server', imports: '../scheduler/scheduler.ts' },
  { room: 'control-plane/api-server/cache', imports: '../request/api-request.ts' },
  { room: 'control-plane/api-server/request', imports: '../authorization/decide.ts' },
  { room: 'control-plane/api-server/authorization', imports: '../admission/plugin.ts' },
  { room: 'control-plane/api-server/acts', imports: '../authorization/decide.ts' },
  { room: 'control-plane/api-server/admission', imports: '../write/commit-write.ts' },
  { room: 'control-plane/api-server/admission/pod-security', imports: '../../verbs/create.ts' },
  { room: 'control-plane/api-server/write', imports: '../verbs/create.ts' },
  { room: 'control-plane/api-server/verbs', imports: '../chain/chain.ts' },
  { room: 'control-plane/api-server/verbs', imports: '../quota/ledger.ts' },
  { room: 'control-plane/api-server/chain', imports: '../http/exchange.ts' },
  { room: 'control-plane/api-server/http', imports: '../publishing/health.ts' },
  { room: 'control-plane/api-server/http', imports: '../api-server.ts' },
  { room: 'control-plane/store', imports: '../api-server/api-server.ts' },
  { room: 'node', imports: '../control-plane/store/storage.ts' },
  { room: 'node/kubelet', imports: '../control-plane/store/storage.ts' },
  { room: 'node/kubelet/pod', imports: '../../proxy/proxy.ts' },
  { room: 'node/kubelet', imports: '../network/cni.ts' },
  { room: 'node/runtime', imports: '../kubelet/kubelet.ts' },
  { room: 'node/streaming', imports: '../kubelet/kubelet.ts' },
  { room: 'node/proxy', imports: '../runtime/container-runtime.ts' },
  { room: 'node/network', imports: '../runtime/container-runtime.ts' },
  { room: 'node/files', imports: '../network/cidr.ts' },
  { room: 'addons', imports: '../node/runtime/container-runtime.ts' },
  { room: 'cluster', imports: '../cli/output.ts' },
];

const wrong = [
  ...wrongImports.map(({ room, imports }) => ({
    room,
    text: `import * as other from '${imports}';\n\nexport const probe = other;\n`,
    rule: 'noRestrictedImports',
    what: `import ${imports}`,
  })),
  ...['void work();', 'work();', '(() => work())();'].map((text) => ({
    room: 'client',
    text: `async function work(): Promise<void> {}\n\nexport function probe(): void {\n  ${text}\n}\n`,
    rule: text.startsWith('void') ? 'noVoid' : 'noFloatingPromises',
    what: `let a promise go by \`${text}\``,
  })),
  {
    room: 'node',
    text: `export const probe: unknown = JSON.parse('{}');\n`,
    rule: 'parse by parseJSON',
    what: 'call JSON.parse',
  },
];

let missed = 0;
for (const { room, text, rule, what } of wrong) {
  const file = join(root, 'src', room, 'lint-check-probe.ts');
  writeFileSync(file, text);
  let refused = false;
  try {
    execFileSync(join(root, 'node_modules/.bin/biome'), ['lint', '--vcs-use-ignore-file=false', file], { cwd: root, stdio: 'pipe' });
  } catch (error) {
    refused = String((error as { stderr?: Buffer }).stderr).includes(rule);
  } finally {
    rmSync(file);
  }
  if (!refused) {
    missed++;
    console.error(`src/${room} may ${what}: the check does not hold`);
  }
}
if (missed) process.exit(1);
console.log(`${wrong.length} wrong files, all refused`);
