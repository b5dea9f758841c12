// A WHEP player (draft-ietf-wish-whep): one stream, received by WebRTC.

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
    // At once: browsers hide their candidates, and the server needs none, since it is we who come to it.
    await connection.setLocalDescription();
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
