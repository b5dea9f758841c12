import { statfs } from 'node:fs/promises';
import { parseQueueAddress } from '../consumer/fleet/queue-address.js';
import { RedisLink } from '../consumer/fleet/redis-link.js';
import { readOcrModels } from '../consumer/ocr/models.js';
import { PROVIDERS } from '../consumer/providers.js';
import { CapError, type ErrorCode, silentLogger, toCapError } from '../core/index.js';
import {
  canDrawText,
  type DisplayChoice,
  describePortal,
  describeScreen,
  mediaFramework,
  pipewireVersion,
  screenServer,
  soundServerName,
  whatXServerLacks,
  x11DisplayName,
} from '../producer/index.js';
import { chooseEncoder, RtspServer, tryEncoder, x264Encoder } from '../transport/index.js';
import { CaptureSession } from './capture-session.js';

/** One thing that was looked at. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  /** The main job, a screen streamed over RTSP, cannot run without it. */
  readonly needed: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do about it, unless it is well. */
  readonly advice?: string;
  /** The error that a command would end with. */
  readonly code?: ErrorCode;
}

/** Everything that was looked at, and what it amounts to. */
export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** Whether the main job can run, with a test picture at least. */
  readonly ok: boolean;
  /** In one sentence. */
  readonly verdict: string;
}

/** What is looked at beside the machine itself. */
export interface DoctorOptions extends DisplayChoice {
  /** The port that has to be free. @default 8554 */
  readonly rtspPort?: number | undefined;
}

type Outcome = Omit<Finding, 'name' | 'needed' | 'code'>;

const LEAST_NODE = [20, 9] as const;
const LEAST_DISK_BYTES = 1e9;
const SETUP = 'run `npm run setup` in the project folder';

/** Tries what the main job takes, for real. Never rejects. */
export async function diagnose({ rtspPort = 8554, ...choice }: DoctorOptions = {}): Promise<Diagnosis> {
  const findings = [
    await check('Node', true, node),
    await check('GStreamer', true, gstreamer),
    await check('text in pictures', false, pango),
    await check('display', true, () => screen(choice)),
    await check('capture by damage', false, () => damage(choice)),
    await check('desktop portal', false, portal),
    await check('PipeWire', false, pipewire),
    await check('encoder', true, encoder),
    await check('sound', false, sound),
    await check('test picture', false, testPicture),
    await check(`RTSP port ${rtspPort}`, true, () => port(rtspPort)),
    await check('local reader', false, reader),
    ...PROVIDERS.flatMap(({ name, keyVariable }) => (keyVariable ? [key(name, keyVariable)] : [])),
    ...(process.env.CAP_QUEUE_URL ? [await check('queue', false, queue)] : []),
    await check('disk', false, disk),
  ];
  return { findings, ...verdictOf(findings) };
}

function verdictOf(findings: readonly Finding[]): { ok: boolean; verdict: string } {
  const failed = findings.filter(({ ok, needed }) => needed && !ok);
  if (failed.length === 0) return { ok: true, verdict: 'cap can stream this screen' };
  const names = failed.map(({ name }) => name);
  const testWorks = findings.some(({ name, ok }) => name === 'test picture' && ok);
  if (testWorks && names.every((name) => name === 'display')) {
    return { ok: true, verdict: 'there is no screen to stream, but --source test works' };
  }
  return { ok: false, verdict: `cap cannot stream: ${names.join(', ')}` };
}

async function check(name: string, needed: boolean, look: () => Outcome | Promise<Outcome>): Promise<Finding> {
  try {
    return { name, needed, ...(await look()) };
  } catch (error) {
    const { message, hint = SETUP, code } = toCapError(error);
    return { name, needed, ok: false, found: message, advice: hint, code };
  }
}

function node(): Outcome {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return { ok, found: process.version, ...(ok ? {} : { advice: `install Node ${LEAST_NODE.join('.')} or newer` }) };
}

function gstreamer(): Outcome {
  const { version, missing, missingOptional } = mediaFramework();
  if (missing.length > 0) return { ok: false, found: `${version} without ${missing.join(', ')}`, advice: SETUP };
  const lacks = missingOptional.map(({ element, use }) => `${element} (${use})`);
  return { ok: true, found: version + (lacks.length > 0 ? ` without ${lacks.join(', ')}` : '') };
}

function pango(): Outcome {
  return canDrawText()
    ? { ok: true, found: 'Pango draws them' }
    : { ok: false, found: 'no Pango', advice: `${SETUP}, or install GStreamer's Pango plugin` };
}

function screen(choice: DisplayChoice): Outcome {
  return { ok: true, found: describeScreen(choice) };
}

function damage(choice: DisplayChoice): Outcome {
  // Every other way to capture a screen tells what changed.
  const lacks = screenServer(choice) === 'x11' ? whatXServerLacks(x11DisplayName(choice.display)) : '';
  if (lacks === '') return { ok: true, found: 'a still screen costs nearly nothing' };
  return { ok: false, found: lacks, advice: 'it works all the same; use an X server that has it' };
}

/** Not needed on X11, nor where the compositor lets itself be captured. */
async function portal(): Promise<Outcome> {
  return { ok: true, found: await describePortal() };
}

async function pipewire(): Promise<Outcome> {
  return { ok: true, found: await pipewireVersion() };
}

async function encoder(): Promise<Outcome> {
  const failure = await tryEncoder(x264Encoder({}, 30));
  if (failure !== undefined) return { ok: false, found: `x264: ${failure}`, advice: SETUP };
  const { launch } = await chooseEncoder({}, { fps: 30, tellsDamage: false, logger: silentLogger });
  const element = /(\S+) name=encoder/.exec(launch)?.[1] ?? launch;
  return {
    ok: true,
    found: element === 'capx264enc' ? 'x264; no hardware encoder' : `x264; ${element} without damage`,
  };
}

async function sound(): Promise<Outcome> {
  return { ok: true, found: await soundServerName() };
}

async function testPicture(): Promise<Outcome> {
  const session = await CaptureSession.open({ source: { kind: 'test', size: { width: 320, height: 240 } } });
  await session.close();
  return { ok: true, found: 'captured and encoded' };
}

async function port(rtspPort: number): Promise<Outcome> {
  const server = new RtspServer({ port: rtspPort });
  await server.close();
  return { ok: true, found: 'free' };
}

async function reader(): Promise<Outcome> {
  await readOcrModels();
  return { ok: true, found: 'its data is here' };
}

/** Its presence alone: the value is for the provider. */
function key(provider: string, variable: string): Finding {
  const ok = Boolean(process.env[variable]);
  const base = { name: `key for ${provider}`, needed: false, ok, found: `${variable} is ${ok ? 'set' : 'not set'}` };
  return ok ? base : { ...base, advice: `set it to use --provider ${provider}` };
}

async function queue(): Promise<Outcome> {
  const address = parseQueueAddress(process.env.CAP_QUEUE_URL ?? '', 'CAP_QUEUE_URL');
  await using link = await RedisLink.open(address, silentLogger);
  return { ok: true, found: `Redis ${link.version} at ${address.label}` };
}

async function disk(): Promise<Outcome> {
  const { bavail, bsize } = await statfs(process.cwd());
  const bytes = bavail * bsize;
  const found = `${(bytes / 1e9).toFixed(1)} GB free here`;
  return bytes >= LEAST_DISK_BYTES ? { ok: true, found } : { ok: false, found, advice: 'record to another disk' };
}

/** The error to end a command with when the main job cannot run. */
export function diagnosisError({ findings, ok, verdict }: Diagnosis): CapError | undefined {
  if (ok) return undefined;
  const worst = findings.find((finding) => finding.needed && !finding.ok && finding.name !== 'display');
  const { code = 'CAP_DEPENDENCY_MISSING', advice } =
    worst ?? findings.find((finding) => finding.needed && !finding.ok) ?? {};
  return new CapError(code, verdict, advice ? { hint: advice } : {});
}
