import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type RunningProcess, start } from './process.js';
import { testProgram } from './test-program.js';

/** A desktop without a screen: D-Bus session, PipeWire, desktop portal, and a backend that does what it is told. */
export interface TestDesktop extends AsyncDisposable {
  /** What a program of this desktop has in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The PipeWire node of the screen. */
  readonly node: number;
  readonly bus: RunningProcess;
  readonly pipewire: RunningProcess;
  readonly portal: RunningProcess | undefined;
  /** The backend, which is also the compositor. */
  readonly backend: RunningProcess;
  /** Where programs of this desktop keep their state. */
  readonly stateFolder: string;
  /** Puts this process into the desktop, until it is disposed of. */
  enter(): void;
  /** Gives the backend an order of test/programs/portal/backend.c; resolves when it is carried out. */
  tell(order: string): Promise<void>;
  /** Resolves when the portal has asked the backend for that, once more than `before` times. */
  asked(what: string, before?: number): Promise<void>;
}

export interface TestDesktopOptions {
  readonly widthPx?: number;
  readonly heightPx?: number;
  /** More arguments of the backend: `silent`, `types=1`, `cursor=1`, `memory=1`, `rate=60`, `format=0`. */
  readonly backend?: readonly string[];
  /** Without it there is a D-Bus session on which nobody shares a screen. @default true */
  readonly portal?: boolean;
}

export async function startTestDesktop(options: TestDesktopOptions = {}): Promise<TestDesktop> {
  const { widthPx = 320, heightPx = 180, portal: hasPortal = true } = options;
  const program = await testProgram('portal', ['gio-unix-2.0', 'libpipewire-0.3', 'wayland-client']);
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
    await writeSettings(folder, env.XDG_DESKTOP_PORTAL_DIR);
    const bus = launch('dbus-daemon', ['--nofork', '--print-address', `--config-file=${join(folder, 'bus.conf')}`]);
    await bus.waitForOutput(/^unix:/m);
    const pipewire = launch('pipewire', []);
    await listens(join(folder, 'pipewire-0'));
    launch('wireplumber', []);
    const backend = launch(program, [`${widthPx}`, `${heightPx}`, ...(options.backend ?? [])]);
    const [, node] = await backend.waitForOutput(/^ready (\d+)$/m);
    // The portal asks the backend what it can do once, when it starts.
    const portal = hasPortal ? launch(PORTAL, ['--verbose']) : undefined;
    await portal?.waitForOutput(/org\.freedesktop\.portal\.Desktop acquired/, 20_000, 2);
    let told = 0;
    return {
      env,
      enter() {
        for (const [name, value] of Object.entries(env)) {
          before[name] ??= process.env[name] ?? null;
          process.env[name] = value;
        }
      },
      node: Number(node),
      bus,
      pipewire,
      portal,
      backend,
      stateFolder: join(env.XDG_STATE_HOME, 'cap'),
      async tell(order) {
        told += 1;
        backend.stdin.write(`${order}\n`);
        await backend.waitForOutput(new RegExp(`^ok ${told}$`, 'm'));
      },
      async asked(what, before = 0) {
        await backend.waitForOutput(new RegExp(`(^asked ${what}$[^]*?){${before + 1}}`, 'm'));
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

// Not on the PATH.
const PORTAL =
  ['/usr/libexec/xdg-desktop-portal', '/usr/lib/xdg-desktop-portal'].find(existsSync) ?? 'xdg-desktop-portal';
const PERMISSIONS = 'org.freedesktop.impl.portal.PermissionStore.service';
const BACKEND = `[portal]
DBusName=org.freedesktop.impl.portal.desktop.captest
Interfaces=org.freedesktop.impl.portal.ScreenCast
UseIn=captest
`;

/** A bus that starts nothing but the store of permissions, where the portal keeps what tokens stand for. */
async function writeSettings(folder: string, portals: string): Promise<void> {
  const services = join(folder, 'services');
  await mkdir(services);
  await mkdir(portals);
  await copyFile(`/usr/share/dbus-1/services/${PERMISSIONS}`, join(services, PERMISSIONS));
  await writeFile(join(portals, 'captest.portal'), BACKEND);
  await writeFile(
    join(folder, 'bus.conf'),
    `<busconfig>
      <type>session</type>
      <listen>unix:path=${join(folder, 'bus')}</listen>
      <servicedir>${services}</servicedir>
      <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
    </busconfig>`,
  );
}
