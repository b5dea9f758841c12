import { builtInPresets, Sampler } from 'cap-gateway';
import { closeAll } from '../../src/core/index.js';
import { startDisplay } from '../../test/support/display.js';
import { type StreamServer, startCap } from '../server.js';
import { Desktop } from './desktop.js';
import { METHODS, type Running } from './methods.js';
import { beginScenesAnew, SCENES } from './scenes.js';

export const SCREEN = { width: 1920, height: 1080 };

/** How the stream is scaled: `full`, the name of a preset, or `gundam`. */
export const SCALES: readonly string[] = ['full', ...builtInPresets().map(({ name }) => name), 'gundam'];

/** A method at a scale, through all scenes. */
export interface Track extends Running {
  readonly scale: string;
  readonly method: string;
}

/** When a scene began and ended, in milliseconds of `performance.now()`. */
export interface Span {
  readonly scene: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Session {
  readonly desktop: Desktop;
  readonly tracks: readonly Track[];
  readonly spans: readonly Span[];
}

/** Plays all scenes on a screen of its own, which is watched at all scales and by all methods at the same time. */
export async function playSession(
  minutes: number,
  scales: readonly string[],
  say: (line: string) => void,
): Promise<Session> {
  await using display = await startDisplay({ widthPx: SCREEN.width, heightPx: SCREEN.height });
  await using desktop = await Desktop.open(display, SCREEN);
  beginScenesAnew();
  const servers: StreamServer[] = [];
  const samplers: Sampler[] = [];
  const tracks: Track[] = [];
  const spans: Span[] = [];
  try {
    for (const scale of scales) {
      const server = await startCap(display.name, ['--no-cursor', ...scaling(scale)]);
      servers.push(server);
      const sampler = new Sampler(server.url);
      samplers.push(sampler);
      await sampler.next();
    }
    for (const [index, scale] of scales.entries()) {
      const sampler = samplers[index];
      if (!sampler) continue;
      for (const method of METHODS) tracks.push({ scale, method: method.name, ...method.start(sampler) });
    }
    const shares = SCENES.reduce((sum, { share }) => sum + share, 0);
    for (const { name, title, share, play } of SCENES) {
      const fromMs = performance.now();
      const lastsMs = (minutes * 60_000 * share) / shares;
      say(`${title}, ${Math.round(lastsMs / 1000)} s`);
      desktop.scene = name;
      await play(desktop, fromMs + lastsMs);
      spans.push({ scene: name, fromMs, toMs: performance.now() });
    }
  } finally {
    for (const { stop } of tracks) await stop();
    await closeAll(samplers);
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
  return { desktop, tracks, spans };
}

function scaling(scale: string): string[] {
  if (scale === 'full') return [];
  return scale === 'gundam' ? ['--gundam'] : ['--scale-preset', scale];
}
