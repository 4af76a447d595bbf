/** What is measured, in which unit, and whether more of it is better. */
export interface FigureType {
  readonly label: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly digits: number;
}

const figure = (label: string, unit: string, better: 'more' | 'less', digits = 0): FigureType => ({ label, unit, better, digits });

export const figureTypes = {
  perSecond: figure('rate', '/s', 'more'),
  p50Ms: figure('p50', ' ms', 'less', 1),
  p99Ms: figure('p99', ' ms', 'less', 1),
  ms: figure('time', ' ms', 'less'),
  turnMs: figure('longest turn', ' ms', 'less'),
  waitMs: figure('longest wait of another', ' ms', 'less'),
  cpuMsPer1000: figure('CPU per 1,000', ' ms', 'less', 0),
  cpuMs: figure('CPU', ' ms', 'less', 0),
  cpuPercent: figure('CPU', ' % of a core', 'less', 2),
  timesBuiltIn: figure('CPU, of a ConfigMap’s', ' ×', 'less', 2),
  eachKB: figure('memory', ' kB', 'less'),
  rssMB: figure('memory', ' MB', 'less'),
  anonymousMB: figure('of it not mapped files', ' MB', 'less'),
  heapMB: figure('JavaScript heap', ' MB', 'less'),
  /** what the load generator took of a core meanwhile: near 100, it was the limit */
  clientPercent: figure('load generator', ' % of a core', 'less'),
  externalMB: figure('buffers', ' MB', 'less'),
} as const satisfies Record<string, FigureType>;

export type FigureName = keyof typeof figureTypes;
export type Figures = Partial<Record<FigureName, number | undefined>>;

export interface Row {
  /** `api`, `start`, `scheduling`, … */
  readonly group: string;
  readonly name: string;
  readonly ours?: Figures | undefined;
  readonly theirs?: Figures | undefined;
  /** why there is no figure */
  readonly note?: string | undefined;
}

/** How many times better ours is. */
export function ratioOf(name: FigureName, row: Row): number | undefined {
  const ours = row.ours?.[name];
  const theirs = row.theirs?.[name];
  if (!ours || !theirs) return undefined;
  return figureTypes[name].better === 'more' ? ours / theirs : theirs / ours;
}

export function renderFigure(name: FigureName, value: number | undefined): string {
  if (value === undefined) return '';
  const { unit, digits } = figureTypes[name];
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits }) + unit;
}
