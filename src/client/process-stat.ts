/** What /proc/PID/stat says of a process. Pure; who reads the file decides what it means that there is none. */
export interface ProcessStat {
  /** `R`, `S`, `T`, …; `Z`: it has ended, and nobody has asked how */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** the group that gets the signals of its terminal's keys */
  readonly terminalGroup: number;
  /** when it started, in ticks of the kernel since the boot: tells it from another with the same number */
  readonly startTicks: string;
}

/** Fields from the third on, after the name, which is in parentheses and may hold anything. Format: proc(5). */
export function parseProcessStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, group, , , terminalGroup] = fields;
  return { state, parent: Number(parent), group: Number(group), terminalGroup: Number(terminalGroup), startTicks: fields[19] ?? '' };
}
