/**
 * Fewest characters to insert, delete or replace so that `text` stands somewhere within `found`: what surrounds
 * it there is free, since a reader may join lines that stand beside each other (Sellers, 1980). At most the
 * length of `text`, which is what it costs to miss all of it.
 */
export function distanceWithin(text: string, found: string): number {
  const wanted = [...text];
  // A column of the table a character of `found`: how much of `wanted` costs how much up to there.
  let column = Array.from({ length: wanted.length + 1 }, (_, row) => row);
  let least = wanted.length;
  for (const character of found) {
    const next = [0];
    for (const [row, expected] of wanted.entries()) {
      const replaced = (column[row] as number) + (expected === character ? 0 : 1);
      next.push(Math.min(replaced, (column[row + 1] as number) + 1, (next[row] as number) + 1));
    }
    column = next;
    least = Math.min(least, next[wanted.length] as number);
  }
  return least;
}
