import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { CapError, type Closable, closedError, expectInteger, once, redact } from '../../core/index.js';
import type { EncodedImage } from '../adaptor.js';
import { lockFolder } from './folder-lock.js';
import { ENTRIES, imagePath, type LedgerEntry, type LedgerImage } from './ledger-entry.js';
import { parseEntry } from './read-ledger.js';

/** How large a ledger may become. */
export interface LedgerOptions {
  /** Bytes of all of it; the oldest entries go first. 1,000,000 at least. @default 1 GB */
  readonly maxBytes?: number | undefined;
}

const DEFAULT_BYTES = 1e9;
const LEAST_BYTES = 1e6;
/** What is left when the oldest are dropped, so that this is not done for each entry. */
const KEPT = 0.75;
const OWNER_ONLY = 0o600;
const FOLDER_OWNER_ONLY = 0o700;

interface Line {
  readonly bytes: number;
  readonly images: readonly LedgerImage[];
}

/**
 * What was sent to models and what they answered, in a folder: a line of JSON a request, and each picture once, by its
 * hash. For its owner alone. A picture is there before the line that names it, and a line is written at once, so that
 * the end of the process tears the last line at most.
 */
export class Ledger implements Closable {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #unlock: () => Promise<void>;
  #file: FileHandle;
  #lines: Line[];
  readonly #imageBytes = new Map<string, number>();
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(
    folder: string,
    maxBytes: number,
    file: FileHandle,
    lines: readonly Line[],
    unlock: () => Promise<void>,
  ) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#file = file;
    this.#lines = lines.map(({ bytes, images }) => ({ bytes, images }));
    this.#unlock = unlock;
  }

  /** Goes on with the one that is there. @throws CAP_OUTPUT_FAILED, CAP_USAGE */
  static async open(folder: string, options: LedgerOptions = {}): Promise<Ledger> {
    const maxBytes = expectInteger('maxBytes', options.maxBytes ?? DEFAULT_BYTES, LEAST_BYTES, Number.MAX_SAFE_INTEGER);
    try {
      await mkdir(join(folder, 'images'), { recursive: true, mode: FOLDER_OWNER_ONLY });
      await chmod(folder, FOLDER_OWNER_ONLY);
      const unlock = await lockFolder(folder);
      try {
        const path = join(folder, ENTRIES);
        const lines = await wholeLines(path);
        await replace(path, lines.map(({ text }) => text).join(''));
        const ledger = new Ledger(folder, maxBytes, await open(path, 'a', OWNER_ONLY), lines, unlock);
        await ledger.#count();
        await ledger.#trim();
        return ledger;
      } catch (error) {
        await unlock();
        throw error;
      }
    } catch (error) {
      throw outputFailed(folder, error);
    }
  }

  /** Resolves when it is written. @throws CAP_OUTPUT_FAILED, CAP_CLOSED */
  add(entry: Omit<LedgerEntry, 'version' | 'request'> & { readonly request: Request }): Promise<void> {
    if (this.#closed) return Promise.reject(closedError('the ledger'));
    const added = this.#writing.then(() => this.#write(entry));
    this.#writing = added.catch(() => {});
    return added.catch((error) => {
      throw outputFailed(this.#folder, error);
    });
  }

  readonly close = once(async () => {
    this.#closed = true;
    await this.#writing;
    await this.#file.close();
    await this.#unlock();
  });

  async #write({ request, ...entry }: Parameters<Ledger['add']>[0]): Promise<void> {
    const images: LedgerImage[] = [];
    for (const image of request.images) images.push(await this.#keep(image));
    const whole: LedgerEntry = { version: 1, ...entry, request: { ...request, images } };
    // String by string: what is taken out of a whole line could take its quotes along.
    const text = JSON.stringify(whole, (_key, value) => (typeof value === 'string' ? redact(value) : value));
    const line = Buffer.from(`${text}\n`);
    await this.#append(line);
    this.#lines.push({ bytes: line.length, images });
    this.#bytes += line.length;
    await this.#trim();
  }

  /** All of it or, on a disk that is full, nothing. */
  async #append(line: Buffer): Promise<void> {
    const { size } = await this.#file.stat();
    try {
      await this.#file.appendFile(line);
    } catch (error) {
      await this.#file.truncate(size).catch(() => {});
      throw error;
    }
  }

  async #keep({ data, mediaType, width, height }: EncodedImage): Promise<LedgerImage> {
    const sha256 = createHash('sha256').update(data).digest('hex');
    const image: LedgerImage = { sha256, mediaType, bytes: data.length, width, height };
    const path = imagePath(image);
    if (!this.#imageBytes.has(path)) {
      await replace(join(this.#folder, path), data);
      this.#imageBytes.set(path, data.length);
      this.#bytes += data.length;
    }
    return image;
  }

  /** What is there: pictures that no line names are left of a process that was killed. */
  async #count(): Promise<void> {
    const named = new Set(this.#lines.flatMap(({ images }) => images.map(imagePath)));
    for (const name of await readdir(join(this.#folder, 'images'))) {
      const path = `images/${name}`;
      if (named.has(path)) this.#imageBytes.set(path, (await stat(join(this.#folder, path))).size);
      else if (/^\.?[0-9a-f]{64}\./.test(name)) await rm(join(this.#folder, path), { force: true });
    }
    this.#bytes = sum(this.#imageBytes.values()) + sum(this.#lines.map(({ bytes }) => bytes));
  }

  async #trim(): Promise<void> {
    if (this.#bytes <= this.#maxBytes) return;
    const users = new Map<string, number>();
    for (const path of this.#lines.flatMap(({ images }) => images.map(imagePath))) {
      users.set(path, (users.get(path) ?? 0) + 1);
    }
    const unused: string[] = [];
    let dropped = 0;
    let droppedBytes = 0;
    for (const { bytes, images } of this.#lines) {
      if (this.#bytes <= this.#maxBytes * KEPT) break;
      dropped += 1;
      droppedBytes += bytes;
      this.#bytes -= bytes;
      for (const path of images.map(imagePath)) {
        const left = (users.get(path) ?? 0) - 1;
        users.set(path, left);
        if (left > 0) continue;
        unused.push(path);
        this.#bytes -= this.#imageBytes.get(path) ?? 0;
        this.#imageBytes.delete(path);
      }
    }
    this.#lines = this.#lines.slice(dropped);
    // The lines first: no line ever names a picture that is gone.
    const path = join(this.#folder, ENTRIES);
    await replace(path, createReadStream(path, { start: droppedBytes }));
    await this.#file.close();
    this.#file = await open(path, 'a', OWNER_ONLY);
    for (const name of unused) await rm(join(this.#folder, name), { force: true });
  }
}

type Request = Omit<LedgerEntry['request'], 'images'> & { readonly images: readonly EncodedImage[] };

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);

/** Those that are a ledger's; the last one may have been torn. */
async function wholeLines(path: string): Promise<(Line & { readonly text: string })[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => {
    const entry = parseEntry(line);
    if (!entry) return [];
    const text = `${line}\n`;
    return [{ text, bytes: Buffer.byteLength(text), images: entry.request.images }];
  });
}

/** Nobody ever sees a part of it. */
async function replace(path: string, data: string | Buffer | Readable): Promise<void> {
  const partial = join(path, '..', `.${basename(path)}.partial`);
  await writeFile(partial, data, { mode: OWNER_ONLY });
  await rename(partial, path);
}

function outputFailed(folder: string, error: unknown): CapError {
  if (error instanceof CapError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new CapError('CAP_OUTPUT_FAILED', `the ledger in ${folder} cannot be written: ${code ?? message}`, {
    hint: 'it needs a folder that you may write, and room',
    cause: error,
  });
}
