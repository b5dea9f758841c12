// A worker between the network and the decoder: passes every coded picture on, and tells when it was captured.
import { capturedAt } from './sei.js';

addEventListener('rtctransform', ({ transformer }) => {
  const read = new TransformStream({
    transform(frame, controller) {
      const captured = capturedAt(new Uint8Array(frame.data));
      const { rtpTimestamp } = frame.getMetadata();
      if (captured !== undefined) postMessage({ rtpTimestamp, captured });
      controller.enqueue(frame);
    },
  });
  // It ends with the connection.
  transformer.readable
    .pipeThrough(read)
    .pipeTo(transformer.writable)
    .catch(() => {});
});

// An event that came before this line would be lost.
postMessage('ready');
