// The clock strip that `showClock` draws: benchmarks/programs/clock_strip.h.
const CELL_PX = 32;
const BITS = 32;
const CELLS = BITS + 4;

/** Points in the middles of the cells, for a picture in the size of its screen. */
export const STRIP_POINTS = Array.from({ length: CELLS }, (_, cell) => [(cell + 0.5) * CELL_PX, CELL_PX / 2] as const);

/** Milliseconds by the monotonic clock, modulo 2^32 tenths; undefined when there is no whole strip. */
export function readStrip(luma: readonly number[]): number | undefined {
  const cells = luma.map((value) => value > 128);
  if (!cells[0] || cells[1] || !cells[CELLS - 1]) return undefined;
  const bits = cells.slice(2, 2 + BITS);
  if (bits.filter(Boolean).length % 2 !== Number(cells[2 + BITS])) return undefined;
  let value = bits.reduce((gray, on, bit) => gray + (on ? 2 ** bit : 0), 0) >>> 0;
  for (let shift = 1; shift < BITS; shift *= 2) value = (value ^ (value >>> shift)) >>> 0;
  return value / 10;
}
