/**
 * One run of upstream's `e2e.test` over a few tests, named exactly, with a time-out of its own. What it says goes to a
 * file; what became of each test comes from its JSON report.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from './ledger.ts';

export interface SuiteRun {
  readonly program: string;
  readonly kubeconfig: string;
  readonly kubectl?: string;
  readonly names: readonly string[];
  readonly timeoutMinutes: number;
  /** where its log and its report go */
  readonly dir: string;
  readonly label: string;
  readonly extraArgs: readonly string[];
}

/** How long after its own time-out a run may still clean up. */
const graceMs = 3 * 60_000;

export async function runSuite({
  program,
  kubeconfig,
  kubectl,
  names,
  timeoutMinutes,
  dir,
  label,
  extraArgs,
}: SuiteRun): Promise<Outcome[]> {
  const report = join(dir, `${label}.json`);
  const log = openSync(join(dir, `${label}.log`), 'w');
  const child = spawn(
    program,
    [
      `--kubeconfig=${kubeconfig}`,
      '--provider=skeleton',
      ...(kubectl === undefined ? [] : [`--kubectl-path=${kubectl}`]),
      `--ginkgo.focus=(${names.map(escapePattern).join('|')})$`,
      `--ginkgo.timeout=${timeoutMinutes}m`,
      `--ginkgo.json-report=${report}`,
      '--ginkgo.no-color',
      '--ginkgo.v',
      '--disable-log-dump',
      ...extraArgs,
    ],
    { cwd: dir, stdio: ['ignore', log, log], timeout: timeoutMinutes * 60_000 + graceMs },
  );
  closeSync(log);
  await new Promise((resolve, reject) => child.on('exit', resolve).on('error', reject));
  const seen = existsSync(report) ? readReport(JSON.parse(readFileSync(report, 'utf8')) as GinkgoReport[]) : new Map<string, Outcome>();
  return names.map((name) => seen.get(name) ?? { name, passed: false, seconds: 0, message: `did not run; see ${label}.log` });
}

/** What is read of Ginkgo's report. */
interface GinkgoReport {
  readonly SpecReports: readonly {
    readonly LeafNodeType: string;
    readonly ContainerHierarchyTexts: readonly string[] | null;
    readonly LeafNodeText: string;
    readonly State: string;
    readonly RunTime: number;
    readonly Failure?: { readonly Message?: string; readonly Location?: { readonly FileName: string; readonly LineNumber: number } };
  }[];
}

const messageLengthMax = 300;

function readReport(reports: readonly GinkgoReport[]): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  for (const spec of reports.flatMap(({ SpecReports }) => SpecReports)) {
    if (spec.LeafNodeType !== 'It' || spec.State === 'pending') continue;
    const name = [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(' ').replace(/\s+/g, ' ');
    const message = `${spec.State}: ${spec.Failure?.Message ?? ''}`.replace(/\s+/g, ' ').slice(0, messageLengthMax).trim();
    // A skipped test without a reason was not asked for.
    if (spec.State === 'skipped' && !spec.Failure?.Message) continue;
    outcomes.set(name, { name, passed: spec.State === 'passed', seconds: spec.RunTime / 1e9, message });
  }
  return outcomes;
}

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
