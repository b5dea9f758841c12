import { beforeAll, expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import { buildCommands, listensForSignals, runCap, startCap, streamUrl } from '../support/cap.js';
import { freePort } from '../support/port.js';
import { startTestDesktop } from '../support/test-desktop.js';

beforeAll(buildCommands);

const serve = ['--rtsp', '--rtsp-port', '0', '--display-server', 'portal'];

test('cap --display-server portal streams what is shared, until the sharing ends', async () => {
  await using desktop = await startTestDesktop();
  await using cap = startCap(serve, { env: desktop.env });
  const sampler = new Sampler(await streamUrl(cap));
  try {
    const before = await sampler.next();
    expect([before.width, before.height]).toEqual([320, 180]);
    await desktop.tell('rect 64 32 64 64 ffffff');
    for (let { sequence } = before; ; ) {
      const frame = await sampler.next({ afterSequence: sequence });
      const { metadata } = frame;
      sequence = frame.sequence;
      const at = (80 * 320 + 96) * 3;
      if ([...frame.data.subarray(at, at + 3)].some((value) => value < 220)) continue;
      expect(metadata?.source).toEqual({ width: 320, height: 180 });
      break;
    }
  } finally {
    await sampler.close();
  }
  expect(cap.stdout).toMatch(/^shared monitor 320x180, /);
  await desktop.tell('close-session');
  expect(await cap.waitForExit()).toMatchObject({ code: 6 });
  expect(cap.stderr).toContain('the desktop ended the sharing of its screen');
});

test('what changed, as the compositor tells it, is in the metadata, alone', async () => {
  await using desktop = await startTestDesktop();
  await using cap = startCap([...serve, '--keep-alive', '60s'], { env: desktop.env });
  const sampler = new Sampler(await streamUrl(cap));
  try {
    let { sequence } = await sampler.next();
    await desktop.tell('rect 48 32 20 10 ffffff');
    for (;;) {
      const frame = await sampler.next({ afterSequence: sequence });
      sequence = frame.sequence;
      if (frame.metadata?.damage?.length === 0) continue; // made for a key frame
      expect(frame.metadata?.damage).toEqual([{ x: 48, y: 32, width: 20, height: 10 }]);
      break;
    }
  } finally {
    await sampler.close();
  }
});

test('capture rests while nobody watches, and goes on with what is shown by then', async () => {
  await using desktop = await startTestDesktop();
  await using cap = startCap([...serve, '-v'], { env: desktop.env });
  const url = await streamUrl(cap);
  for (const [rests, colour, expected] of [
    [1, 'c83214', [200, 50, 20]],
    [2, '1432c8', [20, 50, 200]],
  ] as const) {
    await cap.waitForOutput(new RegExp(`(capture rests[\\s\\S]*?){${rests}}`), 20_000, 2);
    await desktop.tell(`rect 0 0 320 180 ${colour}`);
    const sampler = new Sampler(url);
    try {
      for (let afterSequence = -1, seen = false; !seen; ) {
        const { sequence, data } = await sampler.next({ afterSequence });
        afterSequence = sequence;
        seen = expected.every((value, channel) => Math.abs((data[channel] ?? 0) - value) < 12);
      }
    } finally {
      await sampler.close();
    }
  }
  await cap.waitForOutput(/(capture rests[\s\S]*?){3}/, 20_000, 2);
  await desktop.tell('close-session');
  expect(await cap.waitForExit()).toMatchObject({ code: 6 });
});

test('--window lets the desktop ask for a window', async () => {
  await using desktop = await startTestDesktop();
  await using cap = startCap([...serve, '--window'], { env: desktop.env });
  await streamUrl(cap);
  await desktop.asked('sources types=2 cursor=2 persist=2 restored=0');
});

test('a refusal is one line with a hint', async () => {
  await using desktop = await startTestDesktop();
  await desktop.tell('answer cancel');
  const { code, stderr } = await runCap(serve, { env: desktop.env });
  expect({ code, stderr }).toEqual({
    code: 18,
    stderr: 'cap: the sharing of the screen was refused (start again and allow it in the dialog)\n',
  });
});

test('SIGINT while the dialog waits takes it back and ends in good order', async () => {
  await using desktop = await startTestDesktop();
  await desktop.tell('answer wait');
  await using cap = startCap(serve, { env: desktop.env });
  await listensForSignals(cap);
  await desktop.asked('start');
  await cap.waitForOutput(/the desktop asks what to share: answer its dialog/, 20_000, 2);
  cap.signal('SIGINT');
  expect(await cap.waitForExit()).toMatchObject({ code: 0 });
  await desktop.asked('close-request');
  expect(cap.stdout).toBe('');
});

test('cap doctor says what the desktop shares', async () => {
  await using desktop = await startTestDesktop();
  const doctor = async () =>
    (await runCap(['doctor', '--rtsp-port', String(await freePort())], { env: desktop.env })).stdout;
  expect(await doctor()).toMatch(
    /^✓ desktop portal: version 4, shares monitor, window with the cursor, asks once\n✓ PipeWire: \d+\.\d+/m,
  );
  desktop.pipewire.signal('SIGKILL');
  desktop.portal?.signal('SIGKILL');
  await Promise.all([desktop.pipewire.waitForExit(), desktop.portal?.waitForExit()]);
  expect(await doctor()).toMatch(/^✗ desktop portal: there is no desktop portal \(.*\n✗ PipeWire: PipeWire cannot be/m);
});
