import lib, { type PeerConnection, type Track } from 'node-datachannel';

export interface OfferOptions {
  /** @default constrained Baseline, packetization mode 1 */
  readonly format?: string;
  readonly audio?: boolean;
}

/** A WebRTC peer that wants to watch, as a browser would: offers, and takes what it is sent. */
export class WhepClient implements AsyncDisposable {
  readonly connection: PeerConnection;
  /**
   * Without candidates, as browsers hide theirs. With them, our checks may come before the client has its answer, and
   * libdatachannel 0.24 then fails.
   */
  readonly offer: string;
  readonly fragment: string;
  /** RTP packets so far. */
  packets = 0;
  readonly #track: Track;

  private constructor(connection: PeerConnection, track: Track, offer: string) {
    this.connection = connection;
    this.#track = track;
    const lines = offer.split('\r\n');
    this.offer = lines.filter((line) => !/^a=(candidate:|end-of)/.test(line)).join('\r\n');
    this.fragment = lines.filter((line) => /^(a=ice-|m=|a=mid:|a=candidate:)/.test(line)).join('\r\n');
    track.onMessage((packet) => {
      // RTCP begins with 200 to 207.
      if (packet.readUInt8(1) < 200 || packet.readUInt8(1) > 207) this.packets += 1;
    });
  }

  static async create(options: OfferOptions = {}): Promise<WhepClient> {
    const { format = 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1', audio } = options;
    const connection = new lib.PeerConnection('viewer', {
      iceServers: [],
      disableAutoNegotiation: true,
      bindAddress: '127.0.0.1',
    });
    const video = new lib.Video('0', 'RecvOnly');
    video.addH264Codec(96, format);
    const track = connection.addTrack(video);
    track.setMediaHandler(new lib.RtcpReceivingSession());
    if (audio) {
      const opus = new lib.Audio('1', 'RecvOnly');
      opus.addOpusCodec(111);
      connection.addTrack(opus);
    }
    const gathered = new Promise<void>((resolve) => {
      connection.onGatheringStateChange((state) => state === 'complete' && resolve());
    });
    connection.setLocalDescription('offer');
    await gathered;
    return new WhepClient(connection, track, connection.localDescription()?.sdp ?? '');
  }

  /** Sends the offer and, when it is answered, takes the answer. */
  async post(url: string, headers: Record<string, string> = {}): Promise<WhepAnswer> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', ...headers },
      body: this.offer,
    });
    const body = await response.text();
    const location = response.headers.get('location');
    const session = location === null ? '' : new URL(location, url).href;
    if (response.status === 201) this.connection.setRemoteDescription(body, 'answer');
    return { status: response.status, headers: response.headers, body, session };
  }

  /** Asks the other side for a key frame (PLI). */
  requestKeyFrame(): void {
    this.#track.requestKeyframe();
  }

  /** Says what it takes its connection for (REMB), in bits a second. */
  estimateBitrate(bitsPerSecond: number): void {
    this.#track.requestBitrate(bitsPerSecond);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.close();
  }
}

export interface WhepAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** Where the session can be ended. */
  readonly session: string;
}
