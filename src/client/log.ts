/** What components log to. The cluster gives them a pino logger; tests give `silentLog` or one that collects. */
export interface Log {
  /** Debug lines are written: else who would have to make one for each of many acts need not. */
  readonly isDebug?: boolean;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log whose every line carries `fields` too. */
  child(fields: object): Log;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog };
