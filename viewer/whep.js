// A WHEP player (draft-ietf-wish-whep): one stream, received by WebRTC.

const GATHERING_MS = 300;

/**
 * Connects; the session ends by `close`, or says by `onEnd` that it has ended.
 * @param {string} url
 * @param {{
 *   onReceiver: (receiver: RTCRtpReceiver) => void, before anything is received
 *   onTrack: (track: MediaStreamTrack) => void,
 *   onEnd: () => void,
 * }} events
 */
export async function play(url, { onReceiver, onTrack, onEnd }) {
  const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  let session;
  const close = () => {
    connection.onconnectionstatechange = null;
    connection.close();
    if (session) fetch(session, { method: 'DELETE', keepalive: true }).catch(() => {});
  };
  connection.ontrack = ({ track }) => onTrack(track);
  connection.onconnectionstatechange = () => {
    if (['failed', 'disconnected', 'closed'].includes(connection.connectionState)) onEnd();
  };
  try {
    onReceiver(connection.addTransceiver('video', { direction: 'recvonly' }).receiver);
    await connection.setLocalDescription();
    await gathered(connection);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp' },
      body: connection.localDescription.sdp,
    });
    const text = await response.text();
    if (response.status !== 201) throw new Error(text);
    session = new URL(response.headers.get('Location'), url).href;
    await connection.setRemoteDescription({ type: 'answer', sdp: text });
  } catch (error) {
    close();
    throw error;
  }
  return { connection, close };
}

/** Candidates come at once, or are of no use to a server that we can reach. */
function gathered(connection) {
  return new Promise((resolve) => {
    setTimeout(resolve, GATHERING_MS);
    connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve();
  });
}
