/** Peak signal-to-noise ratio of two pictures of 8-bit samples of equal size, in decibels. */
export function psnr(one: Uint8Array, other: Uint8Array): number {
  if (one.length !== other.length || one.length === 0) throw new Error(`${one.length} against ${other.length} samples`);
  let sum = 0;
  for (let at = 0; at < one.length; at++) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0);
    sum += difference * difference;
  }
  return 10 * Math.log10(255 ** 2 / (sum / one.length));
}

/** Luma of packed RGB by the weights of ITU-R BT.601. */
export function lumaOf(rgb: Uint8Array): Uint8Array {
  const luma = new Uint8Array(rgb.length / 3);
  for (let at = 0, from = 0; at < luma.length; at++, from += 3) {
    luma[at] = Math.round(0.299 * (rgb[from] ?? 0) + 0.587 * (rgb[from + 1] ?? 0) + 0.114 * (rgb[from + 2] ?? 0));
  }
  return luma;
}
