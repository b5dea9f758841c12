import { type CapError, type Closable, once, TypedEvents } from '../core/index.js';
import { type NativeEvent, type NativePortalSession, native } from './addon.js';
import { toError } from './failure.js';

/** Of AvailableSourceTypes, SelectSources and a stream's source_type. */
export const PORTAL_SOURCES = { monitor: 1, window: 2, virtual: 4 } as const;

/** What a user can be asked to share. */
export type SharedKind = keyof typeof PORTAL_SOURCES;

/** All of these. */
export const SHARED_KINDS = Object.keys(PORTAL_SOURCES) as readonly SharedKind[];

/** Of AvailableCursorModes and SelectSources. */
export const PORTAL_CURSORS = { hidden: 1, embedded: 2 } as const;

/** What the desktop's portal can do: bits of the tables above. */
export interface PortalAbilities {
  readonly version: number;
  readonly sourceTypes: number;
  readonly cursorModes: number;
}

export interface PortalChoice {
  readonly sourceTypes: number;
  /** 0 to leave it to the portal. */
  readonly cursorMode: number;
  /** Whether a token is wanted that starts the next session without asking. */
  readonly persistent: boolean;
  /** Of an earlier session; never to be logged. */
  readonly restoreToken: string;
}

export interface PortalStream {
  /** What PipeWire knows it by. */
  readonly node: number;
  readonly sourceType: number;
  /** For the next session; empty when there is none. Never to be logged. */
  readonly restoreToken: string;
}

export type PortalSessionEvents = {
  /** The desktop or the user ended it. */
  ended: [message: string];
};

/** A session of the desktop portal's ScreenCast. The owner must close it. */
export class PortalSession extends TypedEvents<PortalSessionEvents> implements Closable {
  /** The addon's object, for PipewireScreen. */
  readonly native: NativePortalSession;
  #settle: (event: NativeEvent) => void = () => {};
  #abilities: PortalAbilities = { version: 0, sourceTypes: 0, cursorModes: 0 };

  private constructor(address: string) {
    super();
    this.native = native((addon) => new addon.PortalSession(address, (event) => this.#dispatch(event)));
  }

  /**
   * @param address of the D-Bus session, such as `unix:path=/run/user/1000/bus`
   * @throws CAP_DISPLAY_UNAVAILABLE when there is no portal that shares screens
   */
  static async open(address: string): Promise<PortalSession> {
    const session = new PortalSession(address);
    try {
      const { version, sourceTypes, cursorModes } = await session.#answer('ready');
      session.#abilities = {
        version: Number(version),
        sourceTypes: Number(sourceTypes),
        cursorModes: Number(cursorModes),
      };
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  get abilities(): PortalAbilities {
    return this.#abilities;
  }

  /**
   * Has the user choose what is shared, two minutes at most, unless the token makes that needless. Once.
   * @throws CAP_SHARING_REFUSED, CAP_DISPLAY_UNAVAILABLE; CAP_CLOSED when it is closed meanwhile
   */
  async start(choice: PortalChoice): Promise<PortalStream> {
    const answer = this.#answer('started');
    native(() => this.native.start(choice));
    const { node, sourceType, restoreToken } = await answer;
    return { node: Number(node), sourceType: Number(sourceType), restoreToken: String(restoreToken) };
  }

  /** Takes back what the user is asked, and ends the session. Idempotent. */
  readonly close = once(async () => {
    this.#settle({ type: 'failed', failure: 'closed', message: "the portal's session is closed" });
    await this.native.close();
  });

  #answer(type: string): Promise<NativeEvent> {
    return new Promise((resolve, reject) => {
      this.#settle = (event) => {
        if (event.type === type) resolve(event);
        else reject(failureOf(event));
      };
    });
  }

  #dispatch(event: NativeEvent): void {
    if (event.type === 'ended') this.emit('ended', String(event.message));
    else this.#settle(event);
  }
}

const failureOf = ({ failure, message }: NativeEvent): CapError => toError(String(failure), String(message));
