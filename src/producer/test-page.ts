// The text of the test picture `test://text`: a page that a reader, human or not, can check.

const SENTENCES = [
  'The quick brown fox jumps over the lazy dog.',
  'Pack my box with five dozen liquor jugs.',
  'How vexingly quick daft zebras jump!',
  'Sphinx of black quartz, judge my vow.',
  'The five boxing wizards jump quickly.',
  'Bright vixens jump; dozy fowl quack.',
  'Jackdaws love my big sphinx of quartz.',
  'Waltz, bad nymph, for quick jigs vex.',
  'Quick zephyrs blow, vexing daft Jim.',
  'Two driven jocks help fax my big quiz.',
];

/** Lines `first` to `first + count - 1` of a text without end; each has its number. */
export function testPage(first: number, count: number): string {
  return Array.from({ length: count }, (_, index) => {
    const line = first + index;
    return `${String(line + 1).padStart(4)}  ${SENTENCES[line % SENTENCES.length]}`;
  }).join('\n');
}
