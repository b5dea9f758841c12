import { type CommanderError, InvalidArgumentError } from 'commander';
import {
  CapError,
  expectInteger,
  parseByteSize,
  parseDuration,
  parseRegion,
  parseSize,
  type Rect,
  type Size,
  unexpected,
} from '../core/index.js';

/** A commander parser for whole numbers within bounds. */
export function integer(name: string, min: number, max: number): (text: string) => number {
  return (text) => expectInteger(name, /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN, min, max);
}

/** A commander parser for one of a few words. */
export function oneOf<Word extends string>(name: string, words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw unexpected(name, `one of ${words.join(', ')}`, text);
    return found;
  };
}

/** setTimeout's limit, about 24 days. */
const MAX_DURATION_MS = 2 ** 31 - 1;

/** A commander parser for durations: `500ms`, `30s`, `2m`, `1h`, `7d`; gives whole milliseconds. */
export function duration(name: string, minMs = 1, maxMs = MAX_DURATION_MS): (text: string) => number {
  return (text) => {
    const milliseconds = parseDuration(text) ?? Number.NaN;
    if (!(milliseconds >= minMs && milliseconds <= maxMs)) {
      throw unexpected(name, `a duration such as 30s, 2m or 1h${minMs > 1 ? `, ${minMs} ms at least` : ''}`, text);
    }
    return milliseconds;
  };
}

/** The same, or `off`, which is 0. */
export function durationOrOff(name: string, minMs = 1): (text: string) => number {
  return (text) => (text === 'off' ? 0 : duration(name, minMs)(text));
}

/** A commander parser for numbers of bytes: `500M`, `20G`. */
export function byteSize(name: string, minBytes: number): (text: string) => number {
  return (text) => {
    const bytes = parseByteSize(text) ?? Number.NaN;
    if (!(bytes >= minBytes && bytes <= Number.MAX_SAFE_INTEGER)) {
      throw unexpected(name, `a size such as 500M or 20G, ${minBytes / 1e6}M at least,`, text);
    }
    return bytes;
  };
}

export function size(name: string): (text: string) => Size {
  return (text) => {
    const parsed = parseSize(text);
    if (!parsed) throw unexpected(name, 'a size such as 1920x1080', text);
    return parsed;
  };
}

export function region(name: string): (text: string) => Rect {
  return (text) => {
    const parsed = parseRegion(text);
    if (!parsed) throw unexpected(name, 'a region such as 1280x720+100+50', text);
    return parsed;
  };
}

/** Of a picture, in its pixels: `100,50,1280,720`, `100,50,1280x720`, or as `--region` has it, `1280x720+100+50`. */
export function pictureRegion(name: string): (text: string) => Rect {
  return (text) => {
    const match = /^(\d{1,5}),(\d{1,5}),([1-9]\d{0,4})[,x]([1-9]\d{0,4})$/.exec(text);
    if (!match && text.includes(',')) throw unexpected(name, 'x,y,w,h such as 100,50,1280,720', text);
    const [x = 0, y = 0, width = 0, height = 0] = match?.slice(1).map(Number) ?? [];
    return match ? { x, y, width, height } : region(name)(text);
  };
}

/** A commander parser for the address of an HTTP server. */
export function httpUrl(name: string): (text: string) => URL {
  return (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !/^https?:$/.test(url.protocol)) {
      throw unexpected(name, 'an address such as http://127.0.0.1:8889/', text);
    }
    return url;
  };
}

/** Where something listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A commander parser for `127.0.0.1:8890`, `[::1]:8890` or a port of this machine alone. */
export function address(name: string): (text: string) => Address {
  return (text) => {
    const [, bracketed, host = bracketed ?? '127.0.0.1', port] =
      /^(?:(?:\[([\da-f:.]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(text) ?? [];
    if (port === undefined || Number(port) > 65_535) throw unexpected(name, 'an address such as 127.0.0.1:8890', text);
    return { host, port: Number(port) };
  };
}

/** Commander's own complaints as our usage error; undefined for the end of --help and --version. */
export function fromCommander(error: CommanderError): CapError | undefined {
  if (error.exitCode === 0 || error.code === 'commander.help') return undefined;
  const message = error.message.replace(/^error: /, '').replace(/\n.*/s, '');
  const suggestion = /\(Did you mean (.*)\?\)/.exec(error.message)?.[1];
  return new CapError('CAP_USAGE', message, {
    hint: suggestion ? `did you mean ${suggestion}?` : hintFor(error.code),
    cause: error instanceof InvalidArgumentError ? undefined : error,
  });
}

function hintFor(code: string): string {
  return code === 'commander.excessArguments' ? 'is the first word a command? see cap --help' : 'see cap --help';
}
