import { rm, rmdir, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type FileTemplate, PARTIAL, type RecordedFile } from './file-template.js';

/** How much of a recording is kept; what is older, or more, is removed, the oldest first. */
export interface RetentionOptions {
  /** Since a file was last written, in milliseconds. @default for ever */
  readonly retainMs?: number | undefined;
  /** Of all files of that name. @default as much as the disk takes */
  readonly retainBytes?: number | undefined;
}

/** What is kept free of a disk: that part of it, and no more than so many bytes. */
const FREE_PART = 0.05;
const MOST_FREE_BYTES = 100e6;
/** A file that did not come to play in that time was left by a process that died. */
const ABANDONED_MS = 60_000;

/** Removes files of a recording; others, also those of another name in the same folder, are never touched. */
export class Retention {
  readonly #template: FileTemplate;
  readonly #options: RetentionOptions;
  /** What is being written. */
  readonly #isOpen: (path: string) => boolean;

  constructor(template: FileTemplate, options: RetentionOptions, isOpen: (path: string) => boolean) {
    this.#template = template;
    this.#options = options;
    this.#isOpen = isOpen;
  }

  /** Whether anything is ever removed. */
  get isOn(): boolean {
    return this.#options.retainMs !== undefined || this.#options.retainBytes !== undefined;
  }

  /**
   * Removes what is too old or too much, and what the disk has no room for. Resolves with what is gone.
   * @param atLeast so many files, if there are any
   */
  async sweep(atLeast = 0): Promise<string[]> {
    if (!this.isOn) return [];
    const { retainMs = Number.POSITIVE_INFINITY, retainBytes = Number.POSITIVE_INFINITY } = this.#options;
    const files = await this.#template.files();
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    let missing = await this.#missingBytes();
    const removed: string[] = [];
    for (const file of this.#finished(files)) {
      const isWanted = Date.now() - file.modifiedMs <= retainMs && bytes <= retainBytes && missing <= 0;
      if (isWanted && removed.length >= atLeast) break;
      await this.#remove(file.path);
      removed.push(file.path);
      bytes -= file.bytes;
      missing -= file.bytes;
    }
    return removed;
  }

  /** Whether the disk is so full that nothing can be written. */
  async isFull(): Promise<boolean> {
    return (await this.#missingBytes()) > 0;
  }

  /** Removes what processes that died have left, and what no player takes. */
  async removeAbandoned(): Promise<void> {
    for (const { path, modifiedMs } of await this.#template.files(true)) {
      if (path.endsWith(PARTIAL) && Date.now() - modifiedMs > ABANDONED_MS) await rm(path, { force: true });
    }
  }

  #finished(files: readonly RecordedFile[]): RecordedFile[] {
    return files.filter(({ path }) => !this.#isOpen(path));
  }

  async #missingBytes(): Promise<number> {
    const { bavail, blocks, bsize } = await statfs(this.#template.folder);
    return Math.min(blocks * bsize * FREE_PART, MOST_FREE_BYTES) - bavail * bsize;
  }

  /** Also the folder of its day, once that is empty. */
  async #remove(path: string): Promise<void> {
    await rm(path, { force: true });
    for (let folder = dirname(path); folder.length > this.#template.folder.length; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        return; // something is in it
      }
    }
  }
}
