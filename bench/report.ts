/** The results as a table for the terminal, as Markdown for docs/performance.md, and as JSON. */
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { type FigureName, figureTypes, type Row, ratioOf, renderFigure } from './figures.ts';

export interface Report {
  /** ISO 8601 */
  readonly takenAt: string;
  readonly commit: string;
  readonly machine: string;
  readonly node: string;
  /** the other server's name, when there is one */
  readonly against?: string | undefined;
  readonly rows: readonly Row[];
}

export const describeMachine = (): string => {
  const all = cpus();
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()} ${arch()}`;
};

/** `clientPercent` is for whoever reads the JSON. */
const shown = (Object.keys(figureTypes) as FigureName[]).filter((name) => name !== 'clientPercent');

/** The figures of the rows, in the order of figureTypes. */
function columnsOf(rows: readonly Row[]): FigureName[] {
  return shown.filter((name) => rows.some((row) => row.ours?.[name] !== undefined || row.theirs?.[name] !== undefined));
}

interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly body: readonly (readonly string[])[];
}

const groupTitles: Readonly<Record<string, string>> = {
  api: 'Requests',
  custom: 'Custom resources',
  definitions: 'Definitions of custom resources',
  start: 'Starting',
  idle: 'Idle',
  scheduling: 'Pods and nodes',
  worst: 'Worst requests',
};
/** Figures that two servers are compared by. */
const compared: readonly FigureName[] = ['perSecond', 'ms', 'cpuMsPer1000', 'cpuMs'];

function tablesOf({ rows, against }: Report): Table[] {
  const groups = [...new Set(rows.map((row) => row.group))];
  return groups.map((group) => {
    const own = rows.filter((row) => row.group === group);
    const hasTheirs = own.some((row) => row.theirs);
    const columns = columnsOf(own);
    const head = [
      '',
      ...columns.map((name) => figureTypes[name].label),
      ...(hasTheirs ? ['times better: rate or time', 'times better: CPU'] : []),
    ];
    const body = own.flatMap((row) => {
      const line = (label: string, of: Row['ours'], ratios: readonly string[]): string[] => [
        label,
        ...columns.map((name) => renderFigure(name, of?.[name])),
        ...ratios,
      ];
      const ratios = hasTheirs ? [ratioText(row, ['perSecond', 'ms']), ratioText(row, ['cpuMsPer1000', 'cpuMs'])] : [];
      const first = line(row.note ? `${row.name}: ${row.note}` : row.name, row.ours, ratios);
      return row.theirs ? [first, line(`  ${against ?? 'the other'}`, row.theirs, hasTheirs ? ['', ''] : [])] : [first];
    });
    return { title: groupTitles[group] ?? group, head, body };
  });
}

function ratioText(row: Row, names: readonly FigureName[]): string {
  for (const name of names) {
    const ratio = compared.includes(name) ? ratioOf(name, row) : undefined;
    if (ratio !== undefined) return `${ratio.toFixed(1)} ×`;
  }
  return '';
}

export function renderText(report: Report): string {
  return tablesOf(report)
    .map(({ title, head, body }) => {
      const all = [head, ...body];
      const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
      const line = (row: readonly string[]): string =>
        row
          .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
          .join('  ')
          .trimEnd();
      return [title, ...all.map(line)].join('\n');
    })
    .join('\n\n');
}

function renderMarkdown(report: Report): string {
  const { takenAt, commit, machine, node, against } = report;
  const facts = [
    `Taken ${takenAt.slice(0, 10)} on commit ${commit}, ${machine}, Node ${node}${against ? `; beside it, in the same run: ${against}` : ''}.`,
  ];
  const tables = tablesOf(report).map(({ title, head, body }) => {
    const line = (row: readonly string[]): string => `| ${row.map((cell) => cell.trim().replaceAll('|', '\\|')).join(' | ')} |`;
    return [`### ${title}`, '', line(head), `|${head.map((_, i) => (i === 0 ? '---|' : '---:|')).join('')}`, ...body.map(line)].join('\n');
  });
  return [...facts, ...tables].join('\n\n');
}

const begin = '<!-- figures: written by npm run bench -->';
const end = '<!-- end of figures -->';

/** Replaces what is between the marks in the document: all of it, or of a run of some cases their own tables. */
export function writeIntoDocument(file: string, report: Report, isWhole: boolean): void {
  const text = readFileSync(file, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < 0) throw new Error(`${file} has no place for the figures`);
  const before = text.slice(from + begin.length, to).trim();
  const figures = isWhole ? renderMarkdown(report) : replaceTables(before, report);
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n${figures}\n${text.slice(to)}`);
}

/** Each table that the report has in place of the one with its title, with a line of its own about when it was taken. */
function replaceTables(before: string, report: Report): string {
  const [facts = '', ...tables] = renderMarkdown(report).split(/^(?=### )/m);
  const sections = before.split(/^(?=### )/m).map((section) => section.trim());
  for (const table of tables) {
    const title = table.split('\n', 1)[0] ?? '';
    const section = table.replace(title, `${title}\n\n${facts.trim()}`).trim();
    const at = sections.findIndex((old) => old.startsWith(`${title}\n`));
    if (at < 0) sections.push(section);
    else sections[at] = section;
  }
  return sections.join('\n\n');
}
