// This example shows how to
// 1. write an adaptor: what is asked for each picture; this one saves it to a folder,
// 2. write a gate in place of the one that there is: this one holds back what looks as before,
// 3. join them with a sampler into a watch.
//
//   node examples/write-an-adaptor.mjs rtsp://127.0.0.1:8554/cap snapshots
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Sampler, Watch } from 'cap-gateway';

const [url = 'rtsp://127.0.0.1:8554/cap', folder = 'snapshots'] = process.argv.slice(2);

/** @type {import('cap-gateway').Adaptor} */
const snapshots = {
  provider: 'snapshots',
  model: 'none',
  // Every picture is made to fit these before `ask` gets it; as PNG, for a PNG can be the only one accepted.
  limits: {
    maxEdgePx: 1024,
    maxImageBytes: 8_000_000,
    maxRequestBytes: 32_000_000,
    maxImages: 1,
    mediaTypes: ['image/png'],
  },
  imageCost: (size) => ({ tokens: 0, seen: size }),
  async ask({ images, signal }) {
    const [image] = images;
    if (!image) throw new Error('there is always one image');
    const path = join(folder, `${Date.now()}.png`);
    await writeFile(path, image.data, { signal });
    return { text: path, model: 'none' };
  },
  async close() {},
};

const MIN_DIFFERENCE = 2; // mean of 0 to 255, over one byte in a hundred
/** @type {Buffer | undefined} */
let shown;

/** @type {import('cap-gateway').Gate} */
function unchanged({ data }) {
  const before = shown;
  if (before?.length === data.length) {
    let sum = 0;
    for (let at = 0; at < data.length; at += 100) sum += Math.abs((data[at] ?? 0) - (before[at] ?? 0));
    if ((sum * 100) / data.length < MIN_DIFFERENCE) return 'it looks as before';
  }
  shown = data;
  return undefined;
}

await mkdir(folder, { recursive: true });
const sampler = new Sampler(url);
const watch = new Watch(sampler, snapshots, { everyMs: 500, gate: false, gates: [unchanged] });
process.once('SIGINT', () => watch.close());

watch.on('answered', ({ text, images }) => console.log(`saved ${text}, ${images[0]?.bytes} bytes`));
watch.on('skipped', (frame, reason) => console.log(`frame ${frame.sequence} skipped: ${reason}`));
watch.on('failed', (error) => console.error(error.message));

const error = await watch.finished;
await sampler.close();
if (error) throw error;
