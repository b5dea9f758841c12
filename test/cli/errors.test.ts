import { beforeAll, expect, test } from 'vitest';
import { buildCommands, runCap, startCap, startCommand, streamUrl } from '../support/cap.js';
import { startDisplay } from '../support/display.js';
import { FakeProvider } from '../support/fake-provider.js';
import { freePort, occupyPort } from '../support/port.js';
import type { ProgramResult } from '../support/process.js';

beforeAll(buildCommands);

/** One line on standard error that says what is wrong and what to do: in parentheses, or as what was expected. */
function expectOneLine({ code, stderr }: ProgramResult, exitCode: number, message: RegExp): void {
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^cap: (expected [^\n]+|[^\n]+ \([^\n]+\))\n$/);
  expect(code).toBe(exitCode);
}

const serving = ['--rtsp', '--rtsp-port', '0', '--source', 'test'];

test.each([
  [[], /nothing to do/],
  [['--nonsense'], /unknown option '--nonsense'/],
  [['--rstp'], /unknown option '--rstp' \(did you mean --rtsp\?\)/],
  [[...serving, '--scale-preset', 'p5'], /unknown scale preset "p5" \(did you mean "p4"\?/],
  [[...serving, '-d', '5'], /expected a duration such as 30s.* received "5"/],
  [[...serving, '-d', '0s'], /expected a duration/],
  [[...serving, '-q', 'best'], /expected one of source, high, medium, low, auto, ultra for --quality, received "best"/],
  [['--source', 'test', '-q', 'auto', 'x.mp4'], /--quality auto is for a stream \(of a file alone it is one of low, /],
  [[...serving, '-q', 'auto', '--encoder', 'openh264'], /openh264 cannot change its bitrate while it runs/],
  [[...serving, '--gundam', '--height', '480'], /--height cannot be used with --gundam/],
  [[...serving, '-f', '0'], /expected a whole number from 1 to 120 for --fps/],
  [[...serving, '--region', '10'], /expected a region such as/],
  [[...serving, '--monitor', '1'], /--monitor is for --source screen/],
  [[...serving, '--gundam', '--scale-preset', 'p4'], /--gundam and --scale-preset exclude each other/],
  [['--source', 'test', '--host', '0.0.0.0', 'out.mp4'], /--host is for --rtsp/],
  [['--source', 'test', '--rtsp-port', '0', 'out.mp4'], /--rtsp-port is for --rtsp/],
  [['--source', 'test', '--http', '--audio'], /sound goes into RTSP and files alone \(add --rtsp or a file\)/],
  [['--source', 'test', 'out.avi'], /expected a file ending in \.mp4/],
  [['--source', 'test', 'a.mp4', '-o', 'b.mp4'], /name one output file/],
  [['--source', 'test', 'a.mp4', '--segment-time', '10m'], /a\.mp4 does not tell one segment from the next/],
  [['--source', 'test', '%Y/../%s.mp4'], /expected a name that stays in its folder for the output/],
  [
    ['--source', 'test', '%s.mp4', '--segment-size', '5K'],
    /expected a size such as 500M or 20G, 1M at least, for --seg/,
  ],
  [['--source', 'test', '%s.mp4', '--retain-time', '7d'], /only segments can be removed one by one/],
  [['--source', 'test', '%s.mp4', '--pre-roll', '5s'], /--pre-roll is for --record-on-change/],
  [[...serving, '--segment-time', '10m'], /--segment-time is for --record/],
  [['describe'], /missing required argument 'url'/],
  [['describe', 'http://127.0.0.1/'], /expected an rtsp:\/\/ URL/],
  [['describe', 'rtsp://127.0.0.1:99999/cap'], /expected an rtsp:\/\/ URL/],
  [['watch', 'rtsp://127.0.0.1/cap', '--provider', 'nobody'], /expected one of local, /],
  [['watch', 'rtsp://127.0.0.1/cap', '--provider', 'openai-compatible'], /needs a base URL/],
])('cap %j is a wrong use', async (args, message) => {
  expectOneLine(await runCap(args), 2, message);
});

test('no display', async () => {
  expectOneLine(await runCap(['--rtsp']), 4, /there is no display: DISPLAY is not set/);
  expectOneLine(await runCap(['--rtsp', '--display', 'nowhere:0']), 4, /display/);
});

test('no such window, monitor or region', async () => {
  await using display = await startDisplay({ widthPx: 640, heightPx: 480 });
  const cap = (...args: string[]) => runCap(['--rtsp', '--rtsp-port', '0', ...args], { env: display.env });
  expectOneLine(
    await cap('--window', 'Nothing'),
    5,
    /no window matches "Nothing" \(the display has no titled windows\)/,
  );
  expectOneLine(await cap('--monitor', '7'), 5, /there is no monitor "7" \(monitors: 1 \(/);
  expectOneLine(
    await cap('--region', '640x480+1+0'),
    5,
    /640x480\+1\+0 is not inside the screen \(the screen is 640x480\)/,
  );
});

test('a port in use, which a long --duration does not hold up', async () => {
  const { port, server } = await occupyPort();
  try {
    const rtsp = await runCap([...serving.with(2, `${port}`), '-d', '1h']);
    expectOneLine(rtsp, 7, new RegExp(`cannot listen on 127.0.0.1:${port}: .*--rtsp-port`));
    const metrics = await runCap([...serving, '-d', '1h', '--metrics-port', `${port}`]);
    expectOneLine(metrics, 7, new RegExp(`cannot serve metrics on 127.0.0.1:${port}: .*--metrics-port`));
    await using demo = startCommand('rtsp-demo', ['--rtsp-port', `${port}`]);
    const { code } = await demo.waitForExit();
    expectOneLine({ code, stdout: demo.stdout, stderr: demo.stderr }, 7, /cannot listen/);
  } finally {
    server.close();
  }
});

test('an output folder that is not there', async () => {
  const missing = await runCap(['--source', 'test', '/nowhere/at/all/out.mp4']);
  expectOneLine(missing, 9, /cannot write \/nowhere\/at\/all\/out\.mp4: .*check that the folder exists/);
});

test('describe says at once that nothing listens, or that there is no such stream', async () => {
  const port = await freePort();
  const nobody = await runCap(['describe', `rtsp://127.0.0.1:${port}/cap`]);
  expectOneLine(nobody, 10, new RegExp(`rtsp://127.0.0.1:${port}/cap: nothing listens at 127.0.0.1:${port} `));
  await using cap = startCap(serving);
  const url = await streamUrl(cap);
  expectOneLine(await runCap(['describe', `${url}/x`]), 10, /\/cap\/x: the server has no stream at that path/);
});

test('describe says that what listens is no RTSP server', async () => {
  const web = await FakeProvider.start();
  try {
    const answer = await runCap(['describe', web.origin.replace('http', 'rtsp')]);
    expectOneLine(answer, 10, /what listens there does not speak RTSP/);
  } finally {
    await web.close();
  }
});

test('no key, and a key that is refused, which stays unseen', async () => {
  const provider = await FakeProvider.start();
  await using cap = startCap([...serving, '--size', '320x240']);
  try {
    const args = [await streamUrl(cap), '--provider', 'anthropic', '--base-url', provider.origin];
    expectOneLine(await runCap(['describe', ...args]), 11, /no API key for anthropic \(set .* ANTHROPIC_API_KEY\)/);
    const env = { ANTHROPIC_API_KEY: 'wrong-key-987654321' };
    for (const command of ['describe', 'watch']) {
      const { code, stdout, stderr } = await runCap([command, ...args, '-v'], { env });
      expect(code).toBe(11);
      expect(stderr.match(/^cap: anthropic: .*check the key in ANTHROPIC_API_KEY/gm)).toHaveLength(1);
      expect(stderr).not.toContain('warn:');
      expect(stdout + stderr).not.toContain('987654321');
    }
  } finally {
    await provider.close();
  }
});
