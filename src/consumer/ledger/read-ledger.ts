import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CapError } from '../../core/index.js';
import type { EncodedImage } from '../adaptor.js';
import { ENTRIES, imagePath, type LedgerEntry, type LedgerImage, ledgerEntry } from './ledger-entry.js';

/** What a ledger holds. */
export interface LedgerContents {
  /** Oldest first. */
  readonly entries: readonly LedgerEntry[];
  /** Lines that are none of a ledger's: the last one may have been torn by the end of its process. */
  readonly broken: number;
}

/** Reads a ledger, also one that is being written. @throws CAP_USAGE when there is none in the folder */
export async function readLedger(folder: string): Promise<LedgerContents> {
  const lines = (await entryLines(folder)).split('\n').filter((line) => line !== '');
  const entries = lines.flatMap((line) => parseEntry(line) ?? []);
  return { entries, broken: lines.length - entries.length };
}

export function parseEntry(line: string): LedgerEntry | undefined {
  try {
    return ledgerEntry.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** A picture as it was sent. @throws CAP_USAGE when it is not in the folder any more, or is another one */
export async function readLedgerImage(folder: string, image: LedgerImage): Promise<EncodedImage> {
  const path = join(folder, imagePath(image));
  const data = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CapError('CAP_USAGE', `the ledger's picture ${path} cannot be read: ${cause.code}`, { cause });
  });
  if (createHash('sha256').update(data).digest('hex') !== image.sha256) {
    throw new CapError('CAP_USAGE', `the ledger's picture ${path} is not the one that was sent`);
  }
  const { mediaType, width, height } = image;
  return { data, mediaType, width, height };
}

function entryLines(folder: string): Promise<string> {
  return readFile(join(folder, ENTRIES), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new CapError('CAP_USAGE', `there is no ledger in ${folder}: ${cause.code}`, {
      hint: 'cap watch --ledger DIR keeps one',
      cause,
    });
  });
}
