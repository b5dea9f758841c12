// A client with many sessions at a time. Half of them end as they should while the others still join; then it says
// "playing", and waits to be killed.
//
// usage: node client.js URL tcp|udp SESSIONS
import { RtspPlayer, SilentUdpPlayer } from '../../test/support/rtsp-player.js';

const [, , url = '', protocol, sessions] = process.argv;

async function polite(): Promise<void> {
  if (protocol === 'tcp') {
    const player = await RtspPlayer.overTcp(url);
    await player.waitForUnits(1);
    await player.teardown();
  } else {
    await using player = await SilentUdpPlayer.open(url);
    await player.client.request('OPTIONS');
  }
}

async function staying(): Promise<void> {
  if (protocol === 'tcp') await RtspPlayer.overTcp(url);
  else await SilentUdpPlayer.open(url);
}

const half = Array.from({ length: Number(sessions) / 2 });
await Promise.all([...half.map(polite), ...half.map(staying)]);
process.stdout.write('playing\n');
