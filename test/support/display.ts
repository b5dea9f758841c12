import { type RunningProcess, start } from './process.js';

export interface TestDisplay extends AsyncDisposable {
  /** As in DISPLAY: `:7`. */
  readonly name: string;
  /** For the environment of a child: `{ DISPLAY: ':7' }`. */
  readonly env: { readonly DISPLAY: string };
  readonly server: RunningProcess;
  close(): Promise<void>;
}

export interface DisplayOptions {
  /** @default 1920 */
  readonly widthPx?: number;
  /** @default 1080 */
  readonly heightPx?: number;
  /** Bits of a pixel. @default 24 */
  readonly depth?: number;
  /** Extensions that it does not have, such as DAMAGE. */
  readonly without?: readonly string[];
}

/** Starts a virtual X display under a free number, reachable from this machine only. */
export async function startDisplay(options: DisplayOptions = {}): Promise<TestDisplay> {
  const { widthPx = 1920, heightPx = 1080, depth = 24, without = [] } = options;
  const screen = `${widthPx}x${heightPx}x${depth}`;
  const lacking = without.flatMap((name) => ['-extension', name]);
  const args = ['-displayfd', '3', '-screen', '0', screen, '-nolisten', 'tcp', '-noreset', ...lacking];
  const server = start('Xvfb', args, { extraPipes: 1 });
  try {
    // Xvfb writes the number when it is ready for clients.
    const [, number] = await server.waitForOutput(/^(\d+)\n/, 20_000, 3);
    const name = `:${number}`;
    const close = () => server.close();
    return { name, env: { DISPLAY: name }, server, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await server.close();
    throw error;
  }
}
