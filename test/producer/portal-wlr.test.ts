import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type DesktopServices, startDesktopServices } from '../support/desktop-services.js';
import { KnownPicture } from '../support/known-picture.js';
import { captureShared } from '../support/shared-capture.js';
import { type Sway, startSway } from '../support/sway.js';
import { testProgram } from '../support/test-program.js';
import { expectPicture } from '../support/wayland-capture.js';

const BACKEND = ['/usr/libexec', '/usr/lib'].map((folder) => `${folder}/xdg-desktop-portal-wlr`).find(existsSync);

/** xdg-desktop-portal-wlr behind the portal; it shares the first monitor without asking. */
async function startWlrPortal(sway: Sway): Promise<DesktopServices> {
  const preload = await testProgram('xdpw-shm', ['wayland-client'], ['-shared', '-fPIC']);
  const services = await startDesktopServices('wlr');
  try {
    const config = join(services.env.XDG_CONFIG_HOME ?? '', 'xdg-desktop-portal-wlr');
    await mkdir(config, { recursive: true });
    await writeFile(join(config, 'config'), '[screencast]\nchooser_type=none\noutput_name=HEADLESS-1\n');
    const environment = [`WAYLAND_DISPLAY=${sway.display}`, `LD_PRELOAD=${preload}`];
    const backend = services.launch('env', [...environment, `${BACKEND}`, '-l', 'DEBUG']);
    await backend.waitForOutput(/registry listeners run/, 20_000, 2);
    await services.startPortal();
    return services;
  } catch (error) {
    await services[Symbol.asyncDispose]();
    throw error;
  }
}

test('sway behind xdg-desktop-portal-wlr: pictures come back pixel by pixel, until it dies', async () => {
  await using sway = await startSway(1, 400, 300);
  await using desktop = await startWlrPortal(sway);
  await using frames = await captureShared(desktop);
  for (const [index, [width, height]] of (
    [
      [400, 300],
      [400, 300],
      [640, 202],
    ] as const
  ).entries()) {
    if (index === 2) await sway.command(`output HEADLESS-1 mode ${width}x${height}`);
    const picture = KnownPicture.noise(width, height, index + 1);
    await sway.show('HEADLESS-1', picture);
    await expectPicture(frames, picture, `${width}x${height}, ${index}`);
  }
  sway.process.signal('SIGKILL');
  expect(await frames.failed).toMatchObject({ code: 'CAP_SOURCE_LOST' });
});
