/** A part of a text: the index of its first character, and of the first one behind it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Finds all of one kind in a row of text. */
export type TextFinder = (text: string) => Span[];

/** What some expressions match; each must have the flag `g`, and take time in proportion to the text. */
export function spansOf(text: string, expressions: readonly RegExp[]): Span[] {
  return expressions.flatMap((expression) =>
    [...text.matchAll(expression)].map(({ index, 0: match }) => ({ start: index, end: index + match.length })),
  );
}
