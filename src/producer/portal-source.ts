import { CapError, closeAll, closedError, formatRegion, formatSize, toCapError, unexpected } from '../core/index.js';
import {
  PipewireScreen,
  PORTAL_CURSORS,
  PORTAL_SOURCES,
  type PortalAbilities,
  type PortalChoice,
  PortalSession,
  type PortalStream,
  SHARED_KINDS,
  type SharedKind,
} from '../native/index.js';
import { keepAlive } from './keep-alive.js';
import { RestoreToken } from './restore-token.js';
import type { ScreenOptions } from './screen-source.js';
import { sessionBusAddress } from './session-bus.js';
import type { SourceDemand, VideoSource } from './video-source.js';

/** A session that needs no consent starts faster than this. */
const DIALOG_NOTICE_MS = 1000;

/**
 * What the user chooses to share in the desktop's own dialog, by xdg-desktop-portal and PipeWire. The choice is
 * remembered where the portal allows it, so that the dialog appears once.
 * @throws CAP_DISPLAY_UNAVAILABLE, CAP_SOURCE_NOT_FOUND, CAP_SHARING_REFUSED, CAP_USAGE; CAP_CLOSED after `signal`
 */
export async function portalSource(options: ScreenOptions, demand: SourceDemand): Promise<VideoSource> {
  refuseWhatTheDialogChooses(options);
  const session = await PortalSession.open(sessionBusAddress());
  const abort = (): void => void session.close();
  demand.signal?.addEventListener('abort', abort, { once: true });
  try {
    if (demand.signal?.aborted) throw closedError('the source');
    const stream = await share(session, options, demand);
    const screen = await PipewireScreen.open(session, stream.node, { fps: demand.fps, region: options.region });
    return sharedScreen(session, stream, screen, options);
  } catch (error) {
    await session.close();
    throw error;
  } finally {
    demand.signal?.removeEventListener('abort', abort);
  }
}

function refuseWhatTheDialogChooses({ display, monitor, window, share }: ScreenOptions): void {
  const idle = Object.entries({ display, monitor, window }).find(([, value]) => value !== undefined);
  if (idle) {
    throw new CapError('CAP_USAGE', `${idle[0]} cannot be chosen with the portal: its dialog asks the user`, {
      hint: 'leave it out, or say what the dialog offers: --share monitor, --share window',
    });
  }
  if (share !== undefined && !SHARED_KINDS.includes(share)) {
    throw unexpected('what is shared', `one of ${SHARED_KINDS.join(', ')}`, share);
  }
}

async function share(session: PortalSession, options: ScreenOptions, demand: SourceDemand): Promise<PortalStream> {
  const { abilities } = session;
  const token = new RestoreToken(options.share ?? 'any');
  const choice: PortalChoice = {
    sourceTypes: sourceTypes(abilities, options.share),
    cursorMode: cursorMode(abilities, options.cursor ?? true, demand),
    // Tokens came with version 4.
    persistent: abilities.version >= 4,
    restoreToken: token.read(),
  };
  const notice = setTimeout(
    () => demand.logger?.info('the desktop asks what to share: answer its dialog'),
    DIALOG_NOTICE_MS,
  );
  try {
    const stream = await session.start(choice);
    if (stream.restoreToken !== '') keep(token, stream.restoreToken, demand);
    return stream;
  } finally {
    clearTimeout(notice);
  }
}

function keep(token: RestoreToken, value: string, { logger }: SourceDemand): void {
  try {
    token.write(value);
  } catch (error) {
    logger?.warn(`the desktop will ask again next time: ${toCapError(error).message}`);
  }
}

/** All that a user means by a screen, unless one kind is asked for. */
function sourceTypes({ sourceTypes: offered }: PortalAbilities, share: SharedKind | undefined): number {
  const wanted = share === undefined ? PORTAL_SOURCES.monitor | PORTAL_SOURCES.window : PORTAL_SOURCES[share];
  if (wanted & offered) return wanted & offered;
  const kinds = SHARED_KINDS.filter((kind) => PORTAL_SOURCES[kind] & offered);
  throw new CapError('CAP_SOURCE_NOT_FOUND', `the desktop portal does not share a ${share ?? 'screen'}`, {
    hint: kinds.length > 0 ? `it shares: --share ${kinds.join(', --share ')}` : 'it shares nothing at all',
  });
}

/** 0 where the portal offers no choice. */
function cursorMode({ cursorModes }: PortalAbilities, wanted: boolean, { logger }: SourceDemand): number {
  const mode = wanted ? PORTAL_CURSORS.embedded : PORTAL_CURSORS.hidden;
  if (cursorModes & mode) return mode;
  logger?.warn(`the desktop portal cannot ${wanted ? 'draw' : 'leave out'} the mouse cursor`);
  return 0;
}

function sharedScreen(
  session: PortalSession,
  { sourceType }: PortalStream,
  screen: PipewireScreen,
  options: ScreenOptions,
): VideoSource {
  const kind = SHARED_KINDS.find((one) => PORTAL_SOURCES[one] === sourceType);
  const what = kind === undefined ? 'screen' : kind === 'virtual' ? 'virtual monitor' : kind;
  const { region } = options;
  const size = region ? { width: region.width, height: region.height } : screen.size;
  const label = `shared ${what} ${region ? formatRegion(region) : formatSize(size)}`;
  return {
    label,
    launch: 'cappipewiresrc name=source',
    properties: { source: { 'keep-alive': String(keepAlive(options)) } },
    size,
    tellsDamage: true,
    pacesFrames: true,
    watch: (listener, pipeline) => {
      screen.attach(pipeline, 'source');
      const lost = (message: string): void => listener.lost(new CapError('CAP_SOURCE_LOST', `${label}: ${message}`));
      session.on('ended', lost);
      return { close: async () => void session.off('ended', lost) };
    },
    close: () => closeAll([screen, session]),
  };
}
