import type { Rect } from '../../src/core/index.js';
import { type Desktop, FONT_PX, LINE_PX } from './desktop.js';

/** Colours of what is drawn. */
export interface Style {
  readonly ink: string;
  readonly paper: string;
  /** @default 'DejaVu Sans' */
  readonly font?: string;
}

export const DOCUMENT: Style = { ink: '#1b1f24', paper: '#ffffff' };
export const TERMINAL: Style = { ink: '#d6dde6', paper: '#10151c', font: 'DejaVu Sans Mono' };

/** Lines of text from the top of a piece of the screen on, which is cleared. */
export async function write(desktop: Desktop, rect: Rect, lines: readonly string[], style: Style): Promise<void> {
  const body = lines.map((line, index) => textAt(line, 12, index * LINE_PX + 20, style)).join('');
  const texts = lines.map((text, index) => ({
    rect: { x: rect.x, y: rect.y + index * LINE_PX, width: rect.width, height: LINE_PX },
    text,
  }));
  await desktop.draw(rect, `<rect width="100%" height="100%" fill="${style.paper}"/>${body}`, texts);
}

export const lineRect = (rect: Rect, index: number, lines = 1): Rect => ({
  x: rect.x,
  y: rect.y + index * LINE_PX,
  width: rect.width,
  height: lines * LINE_PX,
});

function textAt(line: string, x: number, y: number, { ink, font = 'DejaVu Sans' }: Style): string {
  const escaped = line.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" font-family="${font}" font-size="${FONT_PX}" fill="${ink}">${escaped}</text>`;
}
