import { median } from '../median.js';
import type { SceneResult, TrackResult } from './evaluate.js';
import { METHODS } from './methods.js';
import { SCENES } from './scenes.js';

/** All that a run found, as JSON. */
export interface Results {
  readonly machine: string;
  readonly minutes: number;
  readonly latencyMs: readonly number[];
  /** 0 to 1. */
  readonly falseAlarms: number;
  readonly composition: readonly { readonly scene: string; readonly seconds: number }[];
  readonly tracks: readonly TrackResult[];
}

const MARKERS = ['<!-- figures: npm run bench:seeing -- --docs -->', '<!-- end of figures -->'] as const;

export const titleOf = (method: string): string => METHODS.find(({ name }) => name === method)?.title ?? method;
export const sum = (scenes: readonly SceneResult[], key: Exclude<keyof SceneResult, 'scene'>): number =>
  scenes.reduce((total, scene) => total + scene[key], 0);
export const recallOf = (scenes: readonly SceneResult[]): number => sum(scenes, 'recalled') / sum(scenes, 'changes');
/** What fixed sampling at the same scale pays. */
const fixedOf = (results: Results, scale: string): TrackResult | undefined =>
  results.tracks.find((track) => track.scale === scale && track.method === 'fixed');

/** Tables in Markdown. */
export function report(results: Results): string {
  const { machine, latencyMs, falseAlarms, composition } = results;
  const sorted = [...latencyMs].sort((a, b) => a - b);
  const p95 = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0;
  const parts = composition.map(({ scene, seconds }) => `${sceneTitle(scene)} ${Math.round(seconds)} s`).join(', ');
  return [
    `Measured on ${machine}. Scenes: ${parts}.${busy(machine)}`,
    `From a change on the screen to the request that shows it, settling off: p50 **${median(latencyMs).toFixed(0)} ms**, ` +
      `p95 ${p95.toFixed(0)} ms (${latencyMs.length} changes at 1920x1080).`,
    allScales(results),
    totals(results),
    byScene(results),
    text(results),
    `Of what was sent just before a change, ${percent(falseAlarms)} was taken for showing it already.`,
    '',
  ].join('\n\n');
}

/** What was captured, drawn and watched at the same time had to wait for what else ran. */
function busy(machine: string): string {
  const [cores = 0, load = 0] = [/^\d+/, /[\d.]+(?= before)/].map((number) => Number(number.exec(machine)?.[0] ?? 0));
  return load < cores / 2
    ? ''
    : ' **The machine was busy with other work**: all methods see less, and later, than on a quiet one.';
}

export function intoDocument(document: string, figures: string): string {
  const [from, to] = MARKERS.map((marker) => document.indexOf(marker)) as [number, number];
  if (from < 0 || to < from) throw new Error(`docs/seeing.md lacks its markers, ${MARKERS.join(' and ')}`);
  return `${document.slice(0, from + MARKERS[0].length)}\n\n${figures.trim()}\n\n${document.slice(to)}`;
}

/** Of all scales together: there are more changes in it than at any of them. */
function allScales({ tracks }: Results): string {
  const rows = METHODS.map(({ name, title }) => {
    const [mine, fixed] = [name, 'fixed'].map((method) => tracks.filter((track) => track.method === method));
    const scenes = (mine ?? []).flatMap((track) => track.scenes);
    const anHour = (of: readonly TrackResult[] = []): number => of.reduce((total, one) => total + one.tokensAnHour, 0);
    const seen = `${sum(scenes, 'recalled')} of ${sum(scenes, 'changes')}`;
    return [title, seen, percent(recallOf(scenes)), share(anHour(mine), anHour(fixed))];
  });
  return table(['at all scales', 'changes seen within 2 s', 'recall', 'image tokens, of 1 fps'], rows, 1);
}

function totals(results: Results): string {
  const rows = results.tracks.map((track) => {
    const { scale, method, scenes, charactersPerKilotoken, tokensAnHour } = track;
    const fixed = fixedOf(results, scale);
    const tokens = sum(scenes, 'tokens');
    return [
      scale,
      titleOf(method),
      percent(recallOf(scenes)),
      thousands(tokensAnHour),
      fixed ? share(tokensAnHour, fixed.tokensAnHour) : '',
      fixed ? share(tokens, sum(fixed.scenes, 'tokens')) : '',
      charactersPerKilotoken.toFixed(0),
      ((sum(scenes, 'facts') / tokens) * 1000).toFixed(2),
    ];
  });
  const headings = [
    'scale',
    'method',
    'recall within 2 s',
    'image tokens an hour',
    'of 1 fps',
    'of 1 fps, as run',
    'characters per 1,000 tokens',
    'facts per 1,000 tokens',
  ];
  return table(headings, rows, 2);
}

/** What is no image, but billed, too. */
function text(results: Results): string {
  const scale = results.tracks[0]?.scale ?? 'full';
  const tracks = results.tracks.filter((track) => track.scale === scale);
  const parts = tracks.map(({ method, textTokensAnHour }) => `${titleOf(method)} ${thousands(textTokensAnHour)}`);
  return `Text that the same requests carry at ${scale} size (prompt, places, what was said before), in tokens an hour: ${parts.join(', ')}.`;
}

/** Of the whole size: recall, and tokens against one frame a second. */
function byScene(results: Results): string {
  const scale = results.tracks[0]?.scale ?? 'full';
  const tracks = results.tracks.filter((track) => track.scale === scale);
  const rows = results.composition.map(({ scene }) => [
    sceneTitle(scene),
    ...tracks.map((track) => {
      const [mine, fixed] = [track, fixedOf(results, scale)].map((one) => one?.scenes.find((of) => of.scene === scene));
      if (!mine || !fixed) return '';
      const recall = mine.changes === 0 ? '' : `${mine.recalled}/${mine.changes}, `;
      return `${recall}${share(mine.tokens, fixed.tokens)}`;
    }),
  ]);
  const heading = `Scene by scene at ${scale} size: changes seen within 2 s, and image tokens as a share of one frame a second.`;
  return `${heading}\n\n${table(['scene', ...tracks.map(({ method }) => titleOf(method))], rows, 1)}`;
}

const sceneTitle = (name: string): string => SCENES.find((scene) => scene.name === name)?.title ?? name;

function table(headings: readonly string[], rows: readonly string[][], textColumns: number): string {
  const rule = headings.map((_, index) => (index < textColumns ? '---' : '---:'));
  return [headings, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const percent = (value: number): string => (Number.isNaN(value) ? '' : `${(100 * value).toFixed(1)} %`);
const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');

/** `1/23`, or `0` when nothing was sent. */
function share(part: number, whole: number): string {
  if (part === 0) return '0';
  const times = whole / part;
  return times < 0.995
    ? `${(1 / times).toFixed(2)}x`
    : `1/${times < 10 ? times.toFixed(1).replace(/\.0$/, '') : times.toFixed(0)}`;
}
