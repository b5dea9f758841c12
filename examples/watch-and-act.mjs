// This example shows how to
// 1. have a model look at a stream every two seconds,
// 2. print its words as they arrive,
// 3. act on an answer: here, when it has a word one waits for.
//
//   node examples/watch-and-act.mjs rtsp://127.0.0.1:8554/cap error
//
// `local` reads the text on this machine. With a key in the environment, `openai` or `anthropic` answer the prompt.
import { WatchSession } from 'cap-gateway';

const [url = 'rtsp://127.0.0.1:8554/cap', word = 'error'] = process.argv.slice(2);

const session = await WatchSession.open(url, {
  model: { provider: 'local' },
  watch: { everyMs: 2000, prompt: 'Read the text on this screen. Then say what the user is doing.' },
});
process.once('SIGINT', () => session.watch.close());

session.watch.on('streamed', (delta) => process.stdout.write(delta));
session.watch.on('answered', (answer) => {
  const age = answer.frameAgeMs === undefined ? 'of unknown age' : `${Math.round(answer.frameAgeMs)} ms old`;
  console.log(`\n(frame ${answer.frameNumber}, ${age}, ~${answer.estimatedTokens} tokens)`);
  if (answer.text.toLowerCase().includes(word.toLowerCase())) console.log(`! "${word}" is on the screen`);
});
session.watch.on('failed', (error) => console.error(`${error.code}: ${error.message}`));

const error = await session.watch.finished; // undefined when it was closed
const { seen, answered, superseded } = session.watch.counts();
console.log(`${seen} frames seen, ${answered} answered, ${superseded} superseded by newer ones`);
await session.close();
if (error) throw error;
