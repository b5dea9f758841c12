import type { Change } from './desktop.js';
import type { Reading } from './reading.js';
import { firstThatShows, shows } from './recall.js';
import type { Sent } from './recording-adaptor.js';
import { SCENES } from './scenes.js';
import { SCREEN, type Session, type Span, type Track } from './session.js';

/** What one method at one scale did in one scene. */
export interface SceneResult {
  readonly scene: string;
  readonly minutes: number;
  readonly requests: number;
  readonly tokens: number;
  readonly textTokens: number;
  readonly changes: number;
  /** Changes whose result is in what was sent within two seconds. */
  readonly recalled: number;
  /** Of these, facts that the local reader can read in it. */
  readonly facts: number;
}

export interface TrackResult {
  readonly scale: string;
  readonly method: string;
  readonly scenes: readonly SceneResult[];
  /** Of the last request of the scenes in READ: characters that the local reader finds for 1,000 tokens of theirs. */
  readonly charactersPerKilotoken: number;
  /** Image tokens of the hour of which the scenes have their `minutesAnHour`. */
  readonly tokensAnHour: number;
  /** Of what is asked and told again, in the same hour. */
  readonly textTokensAnHour: number;
}

/** Scenes with much text, little text, and text that changes altogether. */
const READ: readonly string[] = ['still', 'typing', 'browsing'];

export async function evaluate(
  session: Session,
  reading: Reading,
  say: (line: string) => void,
): Promise<TrackResult[]> {
  const results: TrackResult[] = [];
  for (const track of session.tracks) {
    const scenes: SceneResult[] = [];
    for (const span of session.spans) scenes.push(await sceneResult(session, track, span, reading));
    const charactersPerKilotoken = await readable(session, track, reading);
    results.push({
      scale: track.scale,
      method: track.method,
      scenes,
      charactersPerKilotoken,
      tokensAnHour: anHour(scenes, ({ tokens }) => tokens),
      textTokensAnHour: anHour(scenes, ({ textTokens }) => textTokens),
    });
    say(`${track.scale}, ${track.method}: ${track.sent.length} requests`);
  }
  return results;
}

/** At the rates of the scenes, in an hour that is made of them. */
function anHour(scenes: readonly SceneResult[], of: (scene: SceneResult) => number): number {
  return scenes.reduce((sum, result) => {
    const { minutesAnHour = 0 } = SCENES.find(({ name }) => name === result.scene) ?? {};
    return sum + (of(result) / result.minutes) * minutesAnHour;
  }, 0);
}

async function sceneResult(
  { desktop }: Session,
  track: Track,
  { scene, fromMs, toMs }: Span,
  reading: Reading,
): Promise<SceneResult> {
  const sent = track.sent.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  const changes = desktop.changes.filter((change) => change.scene === scene);
  let recalled = 0;
  let facts = 0;
  for (const change of changes) {
    const shown = await firstThatShows(change, track.sent, SCREEN);
    if (!shown) continue;
    recalled += 1;
    if (await reading.hasFact(shown, change, SCREEN)) facts += 1;
  }
  const tokens = sent.reduce((sum, one) => sum + one.tokens, 0);
  const textTokens = sent.reduce((sum, one) => sum + one.textTokens, 0);
  const minutes = (toMs - fromMs) / 60_000;
  return { scene, minutes, requests: sent.length, tokens, textTokens, changes: changes.length, recalled, facts };
}

async function readable({ desktop, spans }: Session, { sent }: Track, reading: Reading): Promise<number> {
  let characters = 0;
  let tokens = 0;
  for (const { fromMs, toMs } of spans.filter(({ scene }) => READ.includes(scene))) {
    const request = sent.findLast(({ atMs }) => atMs >= fromMs && atMs < toMs);
    if (!request) continue;
    characters += await reading.characters(request, desktop);
    tokens += request.tokens;
  }
  return tokens === 0 ? 0 : (characters / tokens) * 1000;
}

/**
 * Share of the changes that what was sent just before them is said to show: of what tells seen from unseen, the
 * error to one side.
 */
export async function falseAlarms(sessions: readonly Session[]): Promise<number> {
  let alarms = 0;
  let asked = 0;
  for (const { desktop, sent } of sessions.flatMap(({ desktop, tracks }) =>
    tracks.map(({ sent }) => ({ desktop, sent })),
  )) {
    for (const change of desktop.changes) {
      const before: Sent | undefined = sent.findLast(({ atMs }) => atMs < change.atMs - LEAST_AGE_MS);
      if (!before || isUndone(change)) continue;
      asked += 1;
      if (await shows(before, change, SCREEN)) alarms += 1;
    }
  }
  return asked === 0 ? 0 : alarms / asked;
}

const LEAST_AGE_MS = 200;

/** Where a dialog goes, the page is as it was before the dialog came. */
const isUndone = ({ fact }: Change): boolean => fact === undefined;
