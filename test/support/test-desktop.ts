import { join } from 'node:path';
import { type DesktopServices, startDesktopServices } from './desktop-services.js';
import type { RunningProcess } from './process.js';
import { testProgram } from './test-program.js';

/** A desktop without a screen: its services, and a portal backend that does what it is told. */
export interface TestDesktop extends Omit<DesktopServices, 'launch' | 'startPortal'> {
  readonly portal: RunningProcess | undefined;
  /** The backend, which is also the compositor. */
  readonly backend: RunningProcess;
  /** Where programs of this desktop keep their state. */
  readonly stateFolder: string;
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
  const services = await startDesktopServices('captest');
  try {
    const backend = services.launch(program, [`${widthPx}`, `${heightPx}`, ...(options.backend ?? [])]);
    await backend.waitForOutput(/^ready \d+$/m);
    const portal = hasPortal ? await services.startPortal() : undefined;
    let told = 0;
    return {
      ...services,
      backend,
      portal,
      stateFolder: join(services.env.XDG_STATE_HOME ?? '', 'cap'),
      async tell(order) {
        told += 1;
        backend.stdin.write(`${order}\n`);
        await backend.waitForOutput(new RegExp(`^ok ${told}$`, 'm'));
      },
      async asked(what, before = 0) {
        await backend.waitForOutput(new RegExp(`(^asked ${what}$[^]*?){${before + 1}}`, 'm'));
      },
    };
  } catch (error) {
    await services[Symbol.asyncDispose]();
    throw error;
  }
}
