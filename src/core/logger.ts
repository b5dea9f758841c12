import { redact } from './redact.js';

/** The least that is written; `warn` is what a user should know about. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The logger every class takes; the library's default is `silentLogger`. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** A logger that adds `fields` to every line. */
  child(fields: Record<string, unknown>): Logger;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Writes nothing: the library's default. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

/** What is written, how and where. */
export interface StreamLoggerOptions {
  /** @default 'info' */
  readonly level?: LogLevel;
  /** One JSON object a line instead of text. @default false */
  readonly json?: boolean;
  /** @default process.stderr */
  readonly stream?: { write(text: string): unknown };
  readonly fields?: Record<string, unknown>;
}

/** Writes one line an entry to a stream, with credentials taken out. */
export function createStreamLogger(options: StreamLoggerOptions = {}): Logger {
  const { level = 'info', json = false, stream = process.stderr, fields: bound = {} } = options;
  const threshold = LEVELS.indexOf(level);
  const write = (at: LogLevel, message: string, fields: Record<string, unknown> = {}): void => {
    if (LEVELS.indexOf(at) < threshold) return;
    const entry = { ...bound, ...fields };
    const line = json
      ? JSON.stringify({ time: new Date().toISOString(), level: at, message, ...entry })
      : textLine(at, message, entry);
    stream.write(`${redact(line)}\n`);
  };
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    child: (fields) => createStreamLogger({ ...options, fields: { ...bound, ...fields } }),
  };
}

function textLine(level: LogLevel, message: string, fields: Record<string, unknown>): string {
  const prefix = level === 'info' ? '' : `${level}: `;
  const tail = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return prefix + message + tail.join('');
}
