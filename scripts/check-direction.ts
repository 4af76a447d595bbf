/**
 * Sees the linter refuse what it is to refuse: writes wrong imports into the rooms, promises that are let go, and a
 * JSON.parse, runs the linter on all of them, and expects each to be refused. A check that can't fail is no check.
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
  { room: 'node/policy', imports: '../network/network-tools.ts' },
  { room: 'node/kubelet', imports: '../policy/policy-engine.ts' },
  { room: 'node/nft', imports: '../network/network-tools.ts' },
  { room: 'node/kubelet', imports: '../nft/ruleset.ts' },
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

const probes = wrong.map((each, i) => ({ ...each, path: join('src', each.room, `lint-check-probe-${i}.ts`) }));
let told = '';
try {
  for (const { path, text } of probes) writeFileSync(join(root, path), text);
  const words = ['lint', '--vcs-use-ignore-file=false', '--max-diagnostics=none', ...probes.map(({ path }) => path)];
  execFileSync(join(root, 'node_modules/.bin/biome'), words, { cwd: root, stdio: 'pipe' });
} catch (error) {
  told = String((error as { stderr?: Buffer }).stderr);
} finally {
  for (const { path } of probes) rmSync(join(root, path), { force: true });
}
const diagnostics = told.split(/^(?=src\/)/m);

let missed = 0;
for (const { room, path, rule, what } of probes) {
  const refused = diagnostics.some((diagnostic) => diagnostic.startsWith(`${path}:`) && diagnostic.includes(rule));
  if (!refused) {
    missed++;
    console.error(`src/${room} may ${what}: the check does not hold`);
  }
}
if (missed) process.exit(1);
console.log(`${wrong.length} wrong files, all refused`);
