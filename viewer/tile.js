// One stream on the page: its picture, and what is known about it.
import { Stills } from './stills.js';
import { Video } from './video.js';

/** Without a moving picture for so long, there are single ones. */
const PATIENCE_MS = 3000;

const STATES = { live: 'live', stills: 'single pictures', waiting: 'waiting for the picture' };

export class Tile {
  #root;
  #part;
  #video;
  #stills;
  #waitingSince = performance.now();
  #units = { shown: 0, now: 0 };

  constructor(path, clock) {
    this.#root = document.getElementById('stream').content.firstElementChild.cloneNode(true);
    this.#part = (name) => this.#root.querySelector(name);
    this.#part('.path').textContent = path;
    this.#root.setAttribute('aria-label', `stream ${path}`);
    this.#part('img').alt = `newest picture of ${path}`;
    this.#part('.fullscreen').onclick = () => this.#part('.picture').requestFullscreen();
    const name = path.slice(1).split('/').map(encodeURIComponent).join('/');
    this.#stills = new Stills(this.#part('img'), new URL(`snapshot/${name}.jpg`, document.baseURI));
    this.#video = new Video(this.#part('video'), new URL(`whep/${name}`, document.baseURI), clock);
  }

  get element() {
    return this.#root;
  }

  /** The server has been started anew: whatever was connected is gone. */
  reconnect() {
    this.#video.connect();
  }

  close() {
    this.#video.close();
    this.#stills.stop();
    this.#root.remove();
  }

  /** What the server says of the stream, once a second. */
  async update({ label, width, height, accessUnits, readers, words }) {
    this.#part('.label').textContent = label;
    this.#part('.size').textContent = width > 0 ? `${width} × ${height}` : '–';
    this.#part('.picture').style.aspectRatio = width > 0 ? `${width} / ${height}` : '';
    this.#part('.readers').textContent = Object.values(readers).reduce((sum, count) => sum + count, 0);
    this.#part('.readers').title = Object.entries(readers)
      .map(([door, count]) => `${count} by ${door}`)
      .join(', ');
    this.#showWords(words);
    this.#units.now = accessUnits;
    const rate = await this.#video.rate();
    this.#part('.rate').textContent = rate ? `${rateText(rate.kbps)}, ${Math.round(rate.fps)} fps` : '–';
  }

  /** What changes from frame to frame, several times a second. */
  refresh() {
    const now = performance.now();
    const { shownAt } = this.#video;
    // Pictures come to the server, but not here.
    const isStuck = shownAt !== undefined && now - shownAt > PATIENCE_MS && this.#units.now - this.#units.shown > 2;
    if (isStuck) this.#video.connect();
    else if (shownAt !== undefined && now - shownAt < 1000) this.#units.shown = this.#units.now;
    const isLive = shownAt !== undefined && !isStuck;
    if (isLive) this.#waitingSince = now;
    if (isLive && this.#stills.isRunning) this.#stills.stop();
    if (now - this.#waitingSince > PATIENCE_MS) this.#stills.start();
    const state = isLive ? 'live' : this.#stills.isRunning && this.#stills.ageMs !== undefined ? 'stills' : 'waiting';
    this.#root.dataset.state = state;
    setText(this.#part('.state'), STATES[state]);
    setText(this.#part('.age'), ageText(isLive ? this.#video.ageMs : this.#stills.ageMs));
  }

  #showWords(words) {
    const quote = this.#part('.words');
    quote.hidden = !words;
    if (!words) return;
    setText(quote.querySelector('p'), words.text);
    setText(quote.querySelector('footer'), `${words.by ?? 'the model'}, ${agoText(words.ageMs)}`);
  }
}

/** Screen readers read a status again whenever it is set. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const ageText = (ms) => (ms === undefined ? '–' : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
const agoText = (ms) => (ms < 60_000 ? `${Math.round(ms / 1000)} s ago` : `${Math.round(ms / 60_000)} min ago`);
const rateText = (kbps) => (kbps < 1000 ? `${Math.round(kbps)} kbit/s` : `${(kbps / 1000).toFixed(1)} Mbit/s`);
