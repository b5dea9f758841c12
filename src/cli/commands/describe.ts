import type { Command } from 'commander';
import { createStreamLogger } from '../../core/index.js';
import { describeStream } from '../../session/index.js';
import { answerJson, answerSummary } from '../answer-printer.js';
import { addModelOptions, type ModelFlags, toLook, toModel, toSampler } from '../model-options.js';
import { addPictureOptions, type PictureFlags, toPicture } from '../picture-options.js';

/** Adds `cap describe URL`: one look, printed. */
export function registerDescribe(program: Command, stop: AbortSignal): void {
  const command = program.command('describe').description('look at a stream once and print what a model says');
  command.argument('<url>', 'rtsp:// address of the stream');
  addPictureOptions(addModelOptions(command)).action((url: string, flags: Flags) => describe(url, flags, stop));
}

type Flags = ModelFlags & PictureFlags;

async function describe(url: string, flags: Flags, stop: AbortSignal): Promise<void> {
  const look = await toLook(flags);
  let streamed = false;
  const onText = (delta: string): void => {
    streamed = true;
    process.stdout.write(delta);
  };
  try {
    const answer = await describeStream(url, {
      model: toModel(flags),
      sampler: toSampler(flags),
      picture: toPicture(flags),
      look: { ...look, signal: stop, ...(flags.json ? {} : { onText }) },
      logger: createStreamLogger({ level: flags.verbose ? 'debug' : 'info' }),
    });
    process.stdout.write(flags.json ? answerJson(answer) : `${streamed ? '' : answer.text}\n`);
    if (flags.verbose) process.stderr.write(`${answerSummary(answer)}\n`);
  } catch (error) {
    // What follows on the terminal begins a line of its own.
    if (streamed) process.stdout.write('\n');
    if (!stop.aborted) throw error;
  }
}
