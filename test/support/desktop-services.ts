import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type RunningProcess, start } from './process.js';

/** D-Bus session, PipeWire with its session manager, and the desktop portal on demand, in a folder of their own. */
export interface DesktopServices extends AsyncDisposable {
  readonly folder: string;
  /** What a program of this desktop has in its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly bus: RunningProcess;
  readonly pipewire: RunningProcess;
  /** Puts this process into the desktop, until it is disposed of. */
  enter(): void;
  /** Starts a program of this desktop, which ends with it. */
  launch(command: string, args: readonly string[]): RunningProcess;
  /** Starts the portal, which asks its backend what it can do. */
  startPortal(): Promise<RunningProcess>;
}

const PREFIX = 'org.freedesktop.impl.portal.desktop.';
// Not on the PATH.
const PORTAL =
  ['/usr/libexec/xdg-desktop-portal', '/usr/lib/xdg-desktop-portal'].find(existsSync) ?? 'xdg-desktop-portal';
const PERMISSIONS = 'org.freedesktop.impl.portal.PermissionStore.service';

/** @param backend the name of the portal's backend on the bus, after PREFIX; it must be there before the portal */
export async function startDesktopServices(backend: string): Promise<DesktopServices> {
  const folder = await mkdtemp(join(tmpdir(), 'cap-desktop-'));
  const processes: RunningProcess[] = [];
  const before: Record<string, string | null> = {};
  const close = async (): Promise<void> => {
    for (const [name, value] of Object.entries(before)) {
      if (value === null) delete process.env[name];
      else process.env[name] = value;
    }
    for (const running of processes.reverse()) await running.close();
    await rm(folder, { recursive: true, force: true });
  };
  const env = {
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_CURRENT_DESKTOP: 'captest',
    XDG_DESKTOP_PORTAL_DIR: join(folder, 'portals'),
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(folder, 'bus')}`,
    GSETTINGS_BACKEND: 'memory',
  };
  const launch = (command: string, args: readonly string[]): RunningProcess => {
    const running = start(command, args, { env: { ...env, DISPLAY: undefined }, keepStdinOpen: true });
    processes.push(running);
    return running;
  };
  try {
    await writeSettings(folder, env.XDG_DESKTOP_PORTAL_DIR, backend);
    const bus = launch('dbus-daemon', ['--nofork', '--print-address', `--config-file=${join(folder, 'bus.conf')}`]);
    await bus.waitForOutput(/^unix:/m);
    const pipewire = launch('pipewire', []);
    await listens(join(folder, 'pipewire-0'));
    launch('wireplumber', []);
    return {
      folder,
      env,
      bus,
      pipewire,
      launch,
      enter() {
        for (const [name, value] of Object.entries(env)) {
          before[name] ??= process.env[name] ?? null;
          process.env[name] = value;
        }
      },
      async startPortal() {
        const portal = launch(PORTAL, ['--verbose']);
        await portal.waitForOutput(/org\.freedesktop\.portal\.Desktop acquired/, 20_000, 2);
        return portal;
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Resolves when a program accepts connections at that socket. */
async function listens(path: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const socket = connect(path);
      await once(socket, 'connect');
      socket.destroy();
    },
    { timeout: 20_000, interval: 5 },
  );
}

/** A bus that starts nothing but the store of permissions, where the portal keeps what tokens mean. */
async function writeSettings(folder: string, portals: string, name: string): Promise<void> {
  const services = join(folder, 'services');
  await mkdir(services);
  await mkdir(portals);
  await copyFile(`/usr/share/dbus-1/services/${PERMISSIONS}`, join(services, PERMISSIONS));
  await writeFile(
    join(portals, `${name}.portal`),
    `[portal]\nDBusName=${PREFIX}${name}\nInterfaces=org.freedesktop.impl.portal.ScreenCast\nUseIn=captest\n`,
  );
  await writeFile(
    join(folder, 'bus.conf'),
    `<busconfig>
      <type>session</type>
      <listen>unix:path=${join(folder, 'bus')}</listen>
      <servicedir>${services}</servicedir>
      <policy context="default">
        <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
      </policy>
    </busconfig>`,
  );
}
