import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];

const OPTIONS = {
  executablePath: PROGRAMS.find((path) => existsSync(path)) ?? 'chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
};

/** Chromium as users have it: only what a machine without a screen, and root, needs is other. */
export const startBrowser = (): Promise<Browser> => chromium.launch(OPTIONS);

/** One that can be killed. */
export async function startVictim(): Promise<{ readonly browser: Browser; kill(): Promise<void> }> {
  const server = await chromium.launchServer(OPTIONS);
  return { browser: await chromium.connect(server.wsEndpoint()), kill: () => server.kill() };
}

/** A stream on the viewer page. */
export interface TileState {
  readonly path: string;
  readonly state: string;
  readonly age: string;
  readonly size: string;
  readonly rate: string;
  readonly readers: string;
  readonly words: string;
  /** Seconds of video that were played. */
  readonly time: number;
  readonly videoWidth: number;
  /** Of the single picture; 0 while there is none. */
  readonly stillWidth: number;
}

/** The viewer page in Chromium, with whatever it complained about and asked for. */
export class ViewerPage implements AsyncDisposable {
  readonly page: Page;
  readonly complaints: string[] = [];
  readonly requests: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      // A server that is away is no mistake of the page.
      if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
        this.complaints.push(message.text());
      }
    });
    page.on('request', (request) => this.requests.push(request.url()));
  }

  static async open(browser: Browser | BrowserContext, url: string): Promise<ViewerPage> {
    const viewer = new ViewerPage(await browser.newPage({ viewport: { width: 1400, height: 1000 } }));
    await viewer.page.goto(url);
    return viewer;
  }

  tiles(): Promise<TileState[]> {
    return this.page.evaluate(TILES);
  }

  /** The luma at points of the picture that the only video shows now, in its pixels. */
  lumaAt(points: readonly (readonly [x: number, y: number])[]): Promise<number[]> {
    return this.page.evaluate(`(${LUMA})(${JSON.stringify(points)})`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close();
  }
}

// Text, since the browser's own types are not those of the tests.
const TILES = `[...document.querySelectorAll('article')].map((tile) => {
  const text = (name) => tile.querySelector(name).textContent.trim();
  return {
    path: text('.path'),
    state: tile.dataset.state ?? '',
    age: text('.age'),
    size: text('.size'),
    rate: text('.rate'),
    readers: text('.readers'),
    words: text('.words p'),
    time: tile.querySelector('video').currentTime,
    videoWidth: tile.querySelector('video').videoWidth,
    stillWidth: tile.querySelector('img').naturalWidth,
  };
})`;
const LUMA = `(points) => {
  const video = document.querySelector('video');
  const context = new OffscreenCanvas(video.videoWidth, video.videoHeight).getContext('2d');
  context.drawImage(video, 0, 0);
  return points.map(([x, y]) => {
    const [red, green, blue] = context.getImageData(x, y, 1, 1).data;
    return 0.3 * red + 0.59 * green + 0.11 * blue;
  });
}`;
