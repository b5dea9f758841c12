/** Requests of one connection, in their order. `SESSION` and `LOCATION` stand for what the server last called them. */
export interface Dialogue {
  readonly port: number;
  readonly requests: readonly string[];
}

export interface Doors {
  readonly rtspUrl: string;
  readonly httpUrl: string;
  /** An offer for WHEP, as a browser makes it. */
  readonly offer: string;
  /** Where UDP may be sent to: two ports of ours. */
  readonly udpPorts: readonly [number, number];
}

const TCP = 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n';

/** A short text of a WebSocket client, masked with zeros (RFC 6455, 5.2). */
const frame = (text: string): string => `\x81${String.fromCharCode(0x80 + text.length)}\0\0\0\0${text}`;

/** What real clients say: VLC's, FFmpeg's and GStreamer's ways over RTSP, and browsers', players' and scripts' over HTTP. */
export function dialogues({ rtspUrl, httpUrl, offer, udpPorts }: Doors): Dialogue[] {
  const rtsp = (method: string, headers = '', { path = '', body = '' } = {}): string =>
    `${method} ${rtspUrl}${path} RTSP/1.0\r\nCSeq: 7\r\nUser-Agent: fuzz\r\n${headers}\r\n${body}`;
  const describe = rtsp('DESCRIBE', 'Accept: application/sdp\r\n');
  const setUp = (transport: string): string => rtsp('SETUP', transport, { path: '/stream=0' });
  const inSession = (method: string, headers = ''): string => rtsp(method, `Session: SESSION\r\n${headers}`);
  const udp = `Transport: RTP/AVP;unicast;client_port=${udpPorts.join('-')}\r\n`;
  const tunnel = `x-sessioncookie: 5d41402abc4b2a76\r\nAccept: application/x-rtsp-tunnelled\r\n`;
  const play = inSession('PLAY', 'Range: npt=0.000-\r\n');
  const ping = rtsp('SET_PARAMETER', 'Session: SESSION\r\nContent-Type: text/parameters\r\nContent-Length: 4\r\n', {
    body: 'ping',
  });
  const announce = rtsp('ANNOUNCE', 'Content-Type: application/sdp\r\nContent-Length: 40\r\n', {
    body: 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0',
  });
  const report = '$\x01\0\x08\x80\xc9\0\x01\x12\x34\x56\x78';
  const login = `Authorization: Digest username="a", realm="cap", nonce="0", uri="${rtspUrl}", response="${'0'.repeat(32)}"\r\n`;

  const { host, hostname, port } = new URL(httpUrl);
  const http = (method: string, path: string, headers = '', body = ''): string =>
    `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}${body ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : ''}\r\n${body}`;
  const upgrade =
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
  const sdp = 'Content-Type: application/sdp\r\n';
  const ice = 'Content-Type: application/trickle-ice-sdpfrag\r\nIf-Match: "x"\r\n';
  const fragment =
    'a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n';

  const rtspPort = Number(new URL(rtspUrl.replace(/^rtsp/, 'http')).port);
  const overRtsp: string[][] = [
    [rtsp('OPTIONS'), describe, setUp(TCP), play, report, ping, inSession('PAUSE'), play, inSession('TEARDOWN')],
    [rtsp('OPTIONS'), describe, setUp(udp), play, inSession('GET_PARAMETER'), inSession('TEARDOWN')],
    [describe, setUp(`Transport: RTP/AVP;multicast\r\n`), setUp(TCP), play, setUp(TCP)],
    [rtsp('OPTIONS', login), rtsp('DESCRIBE', login), announce, inSession('RECORD'), rtsp('REDIRECT')],
    [`GET /cap HTTP/1.0\r\n${tunnel}\r\n`, describe],
    [`POST /cap HTTP/1.0\r\n${tunnel}Content-Length: 32767\r\n\r\n`, Buffer.from(describe).toString('base64')],
  ];
  const overHttp: string[][] = [
    [http('GET', '/'), http('GET', '/api/streams'), http('GET', '/viewer/main.js', 'Accept-Encoding: gzip\r\n')],
    [http('GET', '/snapshot/cap.jpg?preset=p4&max_age=200ms'), http('GET', '/snapshot/cap.png?at=-5s')],
    [http('GET', '/snapshot/cap.webp?preset=p9'), http('HEAD', '/snapshot/cap.jpg'), http('OPTIONS', '/whep/cap')],
    [http('POST', '/whep/cap', sdp, offer), http('PATCH', 'LOCATION', ice, fragment), http('DELETE', 'LOCATION')],
    [http('GET', '/ws/cap', upgrade), frame('hello'), frame('{"type":"offer","sdp":"v=0"}'), '\x88\x80\0\0\0\0'],
    [http('GET', '/ts/cap'), http('GET', '/ts/cap')],
    [
      http('POST', '/api/streams/cap/words', 'Content-Type: application/json\r\n', '{"text":"hello"}'),
      http('GET', '/../../etc/passwd'),
    ],
  ];
  const httpPort = Number(port);
  if (hostname !== '127.0.0.1') throw new Error(`${httpUrl} is not on this machine`);
  return [
    ...overRtsp.map((requests) => ({ port: rtspPort, requests })),
    ...overHttp.map((requests) => ({ port: httpPort, requests })),
  ];
}
