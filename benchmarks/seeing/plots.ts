import { METHODS } from './methods.js';
import { type Results, recallOf, sum, titleOf } from './report.js';

const WIDTH = 760;
const HEIGHT = 460;
const FRAME = { left: 70, right: 20, top: 100, bottom: 56 };
/** Told apart by those who do not see all colours, too, on white and on black. */
const COLOURS = ['#888888', '#d55e00', '#cc79a7', '#0072b2', '#009e73'];

/** Of the axis, from its top. */
const NEAR_TOP = 0.75;

/** On average, in the legend. */
const CHARACTER_PX = 6.4;

interface Point {
  readonly x: number;
  readonly y: number;
  readonly label: string;
}

/** The plots of the documentation, by the names of their files. */
export function plots(results: Results): Record<string, string> {
  const series = (y: (track: Results['tracks'][number]) => number) =>
    METHODS.map(({ name }) =>
      results.tracks
        .filter(({ method }) => method === name)
        .map((track): Point => ({ x: track.tokensAnHour, y: y(track), label: track.scale })),
    );
  return {
    'seeing-recall': scatter(
      'Changes seen within 2 s, against what an hour costs',
      '% of changes seen within 2 s',
      series(({ scenes }) => 100 * recallOf(scenes)),
    ),
    'seeing-facts': scatter(
      'Facts that can be read for 1,000 image tokens, against what an hour costs',
      'facts per 1,000 image tokens',
      series(({ scenes }) => (1000 * sum(scenes, 'facts')) / sum(scenes, 'tokens')),
    ),
  };
}

function scatter(title: string, yTitle: string, series: readonly (readonly Point[])[]): string {
  const all = series.flat().filter(({ x }) => x > 0);
  const [low, high] = [Math.min(...all.map(({ x }) => x)), Math.max(...all.map(({ x }) => x))].map(Math.log10);
  const [from, to] = [Math.floor((low ?? 0) * 2) / 2, Math.ceil((high ?? 1) * 2) / 2];
  const top = niceTop(Math.max(...all.map(({ y }) => y)));
  // Where all lies near the top, the rest would be empty.
  const base = Math.min(...all.map(({ y }) => y)) > NEAR_TOP * top ? NEAR_TOP * top : 0;
  const x = (value: number): number =>
    FRAME.left + ((Math.log10(value) - from) / (to - from)) * (WIDTH - FRAME.left - FRAME.right);
  const y = (value: number): number =>
    HEIGHT - FRAME.bottom - ((value - base) / (top - base)) * (HEIGHT - FRAME.top - FRAME.bottom);
  const ticksX = Array.from(
    { length: Math.floor(to - Math.ceil(from)) + 1 },
    (_, index) => 10 ** (Math.ceil(from) + index),
  );
  const ticksY = [0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => base + share * (top - base));
  const right = WIDTH - FRAME.right;
  const bottom = HEIGHT - FRAME.bottom;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">`,
    `<title id="title">${title}</title>`,
    '<style>text{font:12px system-ui,"DejaVu Sans",sans-serif;fill:#1c2430}.title{font-weight:600;font-size:14px}',
    '.grid{stroke:#8793a3;stroke-opacity:.35}.paper{fill:#fff}.small{font-size:9.5px}',
    '@media (prefers-color-scheme:dark){text{fill:#e6edf3}.paper{fill:#0d1117}}</style>',
    `<rect class="paper" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    `<text class="title" x="${FRAME.left}" y="22">${title}</text>`,
    legend(),
    ...ticksY.map(
      (value) =>
        `<path class="grid" d="M${FRAME.left} ${y(value)}H${right}"/><text x="${FRAME.left - 8}" y="${y(value) + 4}" text-anchor="end">${round(value)}</text>`,
    ),
    ...ticksX.map(
      (value) =>
        `<path class="grid" d="M${x(value)} ${FRAME.top}V${bottom}"/><text x="${x(value)}" y="${bottom + 18}" text-anchor="middle">${value.toLocaleString('en-US')}</text>`,
    ),
    `<text x="${(FRAME.left + right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">image tokens an hour</text>`,
    `<text transform="translate(18 ${(FRAME.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${yTitle}</text>`,
    ...series.flatMap((points, index) =>
      points
        .filter(({ x: tokens }) => tokens > 0)
        .map(
          (point) =>
            `<circle cx="${round(x(point.x))}" cy="${round(y(point.y))}" r="5" fill="${COLOURS[index]}" fill-opacity=".85"><title>${titleOf(METHODS[index]?.name ?? '')}, ${point.label}: ${round(point.y)}</title></circle>` +
            `<text class="small" transform="translate(${round(x(point.x)) + 3} ${round(y(point.y)) - 8}) rotate(-50)">${point.label}</text>`,
        ),
    ),
    '</svg>\n',
  ].join('\n');
}

function legend(): string {
  let x = FRAME.left + 6;
  const entries = METHODS.map(({ title }, index) => {
    const entry = `<circle cx="${x}" cy="40" r="5" fill="${COLOURS[index]}"/><text x="${x + 9}" y="44">${title}</text>`;
    x += 32 + title.length * CHARACTER_PX;
    return entry;
  });
  return entries.join('');
}

function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 4, 5, 10].map((step) => step * power).find((top) => top >= value) ?? 10 * power;
}

const round = (value: number): number => Math.round(value * 100) / 100;
