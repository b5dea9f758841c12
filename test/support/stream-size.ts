import { Sampler } from '../../src/consumer/sampler.js';

/** The size of a stream's picture. A still screen has too few frames for ffprobe to make up its mind soon. */
export async function sizeAt(url: string): Promise<string> {
  const sampler = new Sampler(url);
  try {
    const { width, height } = await sampler.next();
    return `${width}x${height}`;
  } finally {
    await sampler.close();
  }
}
