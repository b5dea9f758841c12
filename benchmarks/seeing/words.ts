import { seededRandom } from '../../test/support/prng.js';

const SEED = 20;
let random = seededRandom(SEED);

const SUBJECTS = ['Order', 'Invoice', 'Ticket', 'Release', 'Shipment', 'Contract', 'Meeting', 'Backup'];
const VERBS = ['was sent to', 'arrived in', 'is waiting in', 'was cancelled in', 'was signed in', 'failed in'];
const PLACES = ['Oslo', 'Berlin', 'Madrid', 'Toronto', 'Lisbon', 'Nairobi', 'Kyoto', 'Lima', 'Dublin', 'Prague'];
const TAILS = ['before noon', 'without a warning', 'by the night shift', 'for the third time', 'as planned'];

const oneOf = (words: readonly string[]): string => words[random.below(words.length)] ?? '';
const number = (): number => 1000 + random.below(9000);

/** The same sentences as from the start. */
export function beginWordsAnew(): void {
  random = seededRandom(SEED);
}

/** A short sentence that no other screen has. */
export const newFact = (): string => `${oneOf(SUBJECTS)} ${number()} ${oneOf(VERBS)} ${oneOf(PLACES)}`;

/** As many sentences a line as fit. */
export function newPage(lines: number, perLine = 120): string[] {
  return Array.from({ length: lines }, () => {
    let line = '';
    for (;;) {
      const next = `${line}${line ? ' ' : ''}${newFact()} ${oneOf(TAILS)}.`;
      if (next.length > perLine) return line;
      line = next;
    }
  });
}
