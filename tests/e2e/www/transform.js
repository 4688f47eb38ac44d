// A worker for RTCRtpScriptTransform: { key, clear } turns each byte of each frame by a key stream,
// or, with clear, those after the header of VP8; without a key frames only pass. Tells the payload
// types that it saw.

const turn = (data, key, from) => {
  const bytes = new Uint8Array(data.slice(0));
  let x = key;
  for (let i = from; i < bytes.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] ^= x >>> 24;
  }
  return bytes.buffer;
};

onrtctransform = ({ transformer }) => {
  const { key, clear } = transformer.options;
  const seen = new Set();
  const step = new TransformStream({
    transform(frame, controller) {
      const { payloadType } = frame.getMetadata();
      if (!seen.has(payloadType)) postMessage(payloadType);
      seen.add(payloadType);
      const header = frame.type === 'key' ? 10 : 3; // as pages do it that know no descriptor
      if (key) frame.data = turn(frame.data, key, clear && frame.type ? header : 0);
      controller.enqueue(frame);
    },
  });
  transformer.readable.pipeThrough(step).pipeTo(transformer.writable);
};
