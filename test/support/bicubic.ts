import type { Size } from '../../src/core/index.js';

const CHANNELS = 3;

interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/**
 * Resizes packed RGB as Pillow's BICUBIC does: the Catmull-Rom kernel, widened when shrinking, pixel centres aligned,
 * first along the rows and then along the columns. (sharp will not do as a reference: libvips 8.18 shifts a picture
 * by half a pixel when it enlarges.)
 * Source: Keys, "Cubic convolution interpolation for digital image processing" (1981), with a = -0.5.
 */
export function bicubic(rgb: Uint8Array, from: Size, to: Size): Uint8Array {
  const wide = new Float32Array(to.width * from.height * CHANNELS);
  tapsOf(from.width, to.width).forEach(({ first, weights }, x) => {
    for (let y = 0; y < from.height; y++) {
      const source = (y * from.width + first) * CHANNELS;
      accumulate(rgb, source, CHANNELS, weights, wide, (y * to.width + x) * CHANNELS);
    }
  });
  const out = new Float32Array(to.width * to.height * CHANNELS);
  tapsOf(from.height, to.height).forEach(({ first, weights }, y) => {
    for (let x = 0; x < to.width; x++) {
      const source = (first * to.width + x) * CHANNELS;
      accumulate(wide, source, to.width * CHANNELS, weights, out, (y * to.width + x) * CHANNELS);
    }
  });
  return Uint8Array.from(Uint8ClampedArray.from(out)); // the clamped one rounds
}

function accumulate(
  from: ArrayLike<number>,
  start: number,
  stride: number,
  weights: readonly number[],
  to: Float32Array,
  at: number,
): void {
  for (let channel = 0; channel < CHANNELS; channel++) {
    let sum = 0;
    for (let tap = 0; tap < weights.length; tap++) {
      sum += (weights[tap] as number) * (from[start + tap * stride + channel] as number);
    }
    to[at + channel] = sum;
  }
}

/** For each sample of the result, which source samples it is made of. */
function tapsOf(from: number, to: number): Taps[] {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - 2 * stretch + 0.5));
    const end = Math.min(from, Math.floor(centre + 2 * stretch + 0.5));
    const raw = Array.from({ length: end - first }, (_, tap) => catmullRom((first + tap + 0.5 - centre) / stretch));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { first, weights: raw.map((weight) => weight / sum) };
  });
}

function catmullRom(distance: number): number {
  const t = Math.abs(distance);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}
