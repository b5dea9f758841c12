// The page: a tile for each stream that the server has.
import { ServerClock } from './server-clock.js';
import { Tile } from './tile.js';

const LIST_MS = 1000;
const REFRESH_MS = 200;
const LONGEST_PAUSE_MS = 4000;

const clock = new ServerClock();
const tiles = new Map();
const place = document.getElementById('streams');
const summary = document.getElementById('summary');
let instance;
let pauseMs = LIST_MS / 4;

function say(text, away) {
  if (summary.textContent !== text) summary.textContent = text;
  summary.classList.toggle('away', away);
}

function show(streams) {
  for (const [path, tile] of tiles) {
    if (streams.some((stream) => stream.path === path)) continue;
    tile.close();
    tiles.delete(path);
  }
  for (const stream of streams) {
    if (!tiles.has(stream.path)) {
      const tile = new Tile(stream.path, clock);
      const next = [...tiles.keys()].sort().find((path) => path > stream.path);
      place.insertBefore(tile.element, next === undefined ? null : tiles.get(next).element);
      tiles.set(stream.path, tile);
    }
    tiles.get(stream.path).update(stream);
  }
  const count = streams.length;
  say(count === 0 ? 'no stream yet' : count === 1 ? '1 stream' : `${count} streams`, false);
}

async function list() {
  try {
    const response = await clock.fetch('api/streams', { cache: 'no-store' });
    if (!response.ok) throw new Error(await response.text());
    const streams = await response.json();
    const before = instance;
    instance = response.headers.get('Cap-Instance');
    if (before !== undefined && before !== instance) for (const tile of tiles.values()) tile.reconnect();
    show(streams);
    pauseMs = LIST_MS / 4;
    setTimeout(list, LIST_MS);
  } catch {
    say('the server is away; trying again', true);
    setTimeout(list, pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

setInterval(() => {
  for (const tile of tiles.values()) tile.refresh();
}, REFRESH_MS);
// Whoever leaves makes room at once.
addEventListener('pagehide', () => {
  for (const tile of tiles.values()) tile.close();
  tiles.clear();
});
addEventListener('pageshow', (event) => event.persisted && list());
list();
