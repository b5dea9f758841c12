import type { RtspTransport } from './clock.js';
import type { Login } from './digest.js';
import { vlcPictures } from './media-clients.js';
import { type RunOptions, runProgram } from './process.js';

export type ForeignTransport = RtspTransport | 'tls';

export interface ForeignPlay {
  readonly url: string;
  readonly transport: ForeignTransport;
  readonly login: Login;
}

export interface ForeignOutcome {
  /** Whether it has shown a second of pictures or so. */
  readonly plays: boolean;
  /** What it said, for who reads a failure. */
  readonly said: string;
}

/** A player that others wrote. `play` ends by itself, whatever happens. */
export interface ForeignClient {
  readonly name: string;
  /** What can be asked of it. */
  readonly transports: readonly ForeignTransport[];
  play(options: ForeignPlay): Promise<ForeignOutcome>;
}

const FRAMES = 25;

/** Distributions know it by its path; `python3` alone may be another one, without OpenCV. */
const SYSTEM_PYTHON = '/usr/bin/python3';
const OPENCV = `
import sys, cv2
capture = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG)
sys.exit(0 if all(capture.read()[0] for _ in range(${FRAMES})) else 1)
`;

/** Players that end with status 0 when they had so many frames. */
async function program(command: string, args: readonly string[], options: RunOptions = {}): Promise<ForeignOutcome> {
  const { code, stdout, stderr } = await runProgram(command, args, options);
  return { plays: code === 0, said: `${stdout}\n${stderr}`.trim() };
}

function withLogin({ url, login }: ForeignPlay): string {
  return url.replace('://', `://${login.user}:${encodeURIComponent(login.password)}@`);
}

/** libavformat has TCP inside TLS whatever is asked for. */
const lower = (transport: ForeignTransport): RtspTransport => (transport === 'tls' ? 'tcp' : transport);

const ffmpeg: ForeignClient = {
  name: 'ffmpeg',
  transports: ['tcp', 'udp', 'tls'],
  play: (options) => {
    const input = ['-rtsp_transport', lower(options.transport), '-i', withLogin(options)];
    return program('ffmpeg', ['-v', 'error', '-nostdin', ...input, '-frames:v', `${FRAMES}`, '-f', 'null', '-']);
  },
};

const gstreamer: ForeignClient = {
  name: 'GStreamer',
  transports: ['tcp', 'udp', 'tls'],
  play: ({ url, transport, login }) => {
    const where = [`location=${url}`, `user-id=${login.user}`, `user-pw=${login.password}`, 'latency=0'];
    // With TLS its own first choice is UDP, which the server refuses.
    const how = transport === 'tls' ? ['tls-validation-flags=0'] : [`protocols=${transport}`];
    const decoder = [
      '!',
      'rtph264depay',
      '!',
      'h264parse',
      '!',
      'avdec_h264',
      '!',
      'fakesink',
      `num-buffers=${FRAMES}`,
    ];
    return program('gst-launch-1.0', ['-q', 'rtspsrc', ...where, ...how, ...decoder]);
  },
};

const mpv: ForeignClient = {
  name: 'mpv',
  transports: ['tcp', 'udp', 'tls'],
  play: (options) => {
    const output = ['--no-config', '--vo=null', '--ao=null', `--frames=${FRAMES}`];
    return program('mpv', [...output, `--rtsp-transport=${lower(options.transport)}`, withLogin(options)]);
  },
};

const opencv: ForeignClient = {
  name: 'OpenCV',
  transports: ['tcp', 'udp', 'tls'],
  play: (options) => {
    const env = { OPENCV_FFMPEG_CAPTURE_OPTIONS: `rtsp_transport;${lower(options.transport)}` };
    return program(SYSTEM_PYTHON, ['-c', OPENCV, withLogin(options)], { env });
  },
};

// Without live555 it has UDP first, and TCP only where that is refused.
const vlc: ForeignClient = {
  name: 'VLC',
  transports: ['udp', 'tls'],
  play: async (options) => {
    const pictures = await vlcPictures(withLogin(options), 3, 5);
    return { plays: pictures > 0, said: `${pictures} pictures` };
  },
};

export const FOREIGN_CLIENTS: readonly ForeignClient[] = [ffmpeg, gstreamer, mpv, opencv, vlc];
