// More of what tests do in a page: codecs, layers, clocks and frames one by one. Extends window.T
// of client.js.

const { T } = window;

const inbound = async (name, mid) => {
  const transceiver = T.pc(name).getTransceivers().find((t) => t.mid === mid);
  const report = await transceiver.receiver.getStats();
  const all = [...report.values()];
  const stats = all.find((s) => s.type === 'inbound-rtp');
  return { stats, all };
};

// 'VP8', 'opus' ...: what a subscriber's m-line is decoded as.
async function codecOf(name, mid) {
  const { stats, all } = await inbound(name, mid);
  const codec = all.find((s) => s.id === stats?.codecId);
  return codec && codec.mimeType.replace(/^.*\//, '');
}

// Statistics of what a subscriber's m-line receives, counters as numbers.
async function receiving(name, mid) {
  const { stats } = await inbound(name, mid);
  const counters = ['packetsReceived', 'packetsLost', 'packetsDiscarded', 'framesReceived', 'framesDecoded',
    'framesDropped', 'freezeCount', 'totalFreezesDuration', 'pliCount', 'nackCount', 'paddingBytesReceived', 'bytesReceived',
    'concealedSamples', 'totalSamplesReceived', 'totalAudioEnergy', 'jitterBufferDelay', 'jitterBufferEmittedCount'];
  return Object.fromEntries(counters.map((k) => [k, stats?.[k] ?? 0]));
}

const canSend = (kind, codec) =>
  RTCRtpSender.getCapabilities(kind).codecs.some((c) => c.mimeType.toLowerCase() === `${kind}/${codec}`);

// How far the picture is played out before the sound, in ms, by the publisher's clock; and how much
// longer sound waits in the receiver's own buffers.
async function skew(name, audio, video) {
  const a = (await inbound(name, audio)).stats;
  const v = (await inbound(name, video)).stats;
  if (!a?.estimatedPlayoutTimestamp || !v?.estimatedPlayoutTimestamp) return null;
  const waits = (s) => (1000 * s.jitterBufferDelay) / s.jitterBufferEmittedCount;
  const ahead = v.estimatedPlayoutTimestamp - v.timestamp - (a.estimatedPlayoutTimestamp - a.timestamp);
  return { ahead, buffered: waits(a) - waits(v) };
}

// ---- encoded frames -----------------------------------------------------------------------------

const payloadTypes = new Set(); // of what connections made after transformAll() sent and got

function transform(end, options) {
  if (end.transform) return;
  const worker = new Worker('/transform.js');
  worker.onmessage = (e) => payloadTypes.add(e.data);
  worker.onerror = (e) => console.error(`transform: ${e.message}`);
  end.transform = new RTCRtpScriptTransform(worker, options);
}

// Connections made from now on encrypt what they send and decrypt what they get (options of
// transform.js); without a key they only look at it. Chromium wants this settled before media flows.
function transformAll(options) {
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      this.addEventListener('track', (e) => transform(e.receiver, options));
    }

    addTrack(...args) {
      const sender = super.addTrack(...args);
      transform(sender, options);
      return sender;
    }

    addTransceiver(...args) {
      const transceiver = super.addTransceiver(...args);
      if (transceiver.sender.track) transform(transceiver.sender, options);
      return transceiver;
    }
  };
}

// The payload type that the remote description has for @codec of @mid.
function numberOf(name, codec) {
  const found = new RegExp(`^a=rtpmap:(\\d+) ${codec}/`, 'im').exec(T.pc(name).remoteDescription.sdp);
  return found && Number(found[1]);
}

// ---- surround sound -----------------------------------------------------------------------------

// Chromium has the codec and offers it to nobody: pages write it into descriptions themselves.
const SURROUND = 'channel_mapping=0,4,1,2,3,5;coupled_streams=2;minptime=10;num_streams=4;useinbandfec=1';
const swapCodec = (sdp, from, to, fmtp) => {
  const pt = new RegExp(`^a=rtpmap:(\\d+) ${from}`, 'm').exec(sdp)[1];
  return sdp.replace(`a=rtpmap:${pt} ${from}`, `a=rtpmap:${pt} ${to}`)
    .replace(new RegExp(`^a=fmtp:${pt} .*?(?=\r)`, 'm'), `a=fmtp:${pt} ${fmtp}`);
};
const toSurround = (jsep) => (jsep.sdp = swapCodec(jsep.sdp, 'opus/48000/2', 'multiopus/48000/6', SURROUND));

const offerSurround = (name) => T.offer(name, [{ type: 'audio', capture: T.tone(6) }], false, toSurround);
const answerSurround = (name, { type, sdp }) => T.answer(name, {
  jsep: { type, sdp: swapCodec(sdp, 'multiopus/48000/6', 'opus/48000/2', 'minptime=10;useinbandfec=1') },
  customizeSdp: toSurround,
});

// ---- frames -------------------------------------------------------------------------------------

const watched = new Map(); // handle/mid -> [{ at, width }]

// Notes each frame of a remote video: when it came out of the decoder and how wide it is.
function watchFrames(name, mid) {
  const frames = [];
  watched.set(`${name}/${mid}`, frames);
  const { track } = T.pc(name).getTransceivers().find((t) => t.mid === mid).receiver;
  if (window.MediaStreamTrackProcessor) {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    const step = async () => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        frames.push({ at: performance.now(), width: value.displayWidth });
        value.close();
      }
    };
    step();
    return;
  }
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = new MediaStream([track]);
  document.body.append(video);
  video.play();
  const note = (now, meta) => {
    frames.push({ at: performance.now(), width: meta.width });
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}

const framesOf = (name, mid) => watched.get(`${name}/${mid}`);

// Waits until the newest frame is @width wide.
async function widthBecomes(name, mid, width, ms = 30000) {
  const frames = framesOf(name, mid);
  const end = performance.now() + ms;
  while (frames.at(-1)?.width !== width) {
    if (performance.now() > end) throw new Error(`${name} mid ${mid}: width ${frames.at(-1)?.width}, not ${width}, after ${ms} ms`);
    await T.sleep(5);
  }
}

// Sends a configure request to a subscriber; { ms, gap }: from the request to the first frame of
// @width, and the longest gap between frames in the meantime.
async function switchTo(name, mid, stream, width, ms = 30000) {
  const frames = framesOf(name, mid);
  const t0 = performance.now();
  await T.ask(name, { request: 'configure', streams: [{ mid, ...stream }] }, (e) => e.configured === 'ok');
  await widthBecomes(name, mid, width, ms);
  const hit = frames.find((f) => f.at > t0 && f.width === width);
  const before = frames.filter((f) => f.at <= t0).at(-1);
  return { ms: hit.at - t0, gap: longestGap(frames.filter((f) => f.at >= before.at && f.at <= hit.at)) };
}

function longestGap(frames) {
  let gap = 0;
  for (let i = 1; i < frames.length; i++) gap = Math.max(gap, frames[i].at - frames[i - 1].at);
  return gap;
}

// { shown, width, gap }: frames since @from (performance.now()), how wide the last one is, and the longest time without one.
function shownSince(name, mid, from) {
  const frames = framesOf(name, mid).filter((f) => f.at >= from);
  return { shown: frames.length, width: frames.at(-1)?.width ?? 0, gap: longestGap([{ at: from }, ...frames, { at: performance.now() }]) };
}

// Frames per second during @ms from now on.
async function frameRate(name, mid, ms) {
  const frames = framesOf(name, mid);
  const n = frames.length;
  await T.sleep(ms);
  return ((frames.length - n) * 1000) / ms;
}

// How the first video of @name is shown within @ms from its first frame on, in ms: from @t0 to that
// frame; the longest wait for another; the longest step forward in the time that frames are of, and
// how many were older than one before.
async function shownFrom(name, t0, ms) {
  const { element } = await T.until('a video', () => {
    const [mid] = T.has(name) ? T.midsOf(name) : [];
    return mid !== undefined && T.remote(name, mid);
  });
  const frames = [];
  const note = (now, { rtpTimestamp }) => {
    frames.push({ at: performance.now(), of: rtpTimestamp / 90 });
    element.requestVideoFrameCallback(note);
  };
  element.requestVideoFrameCallback(note);
  await T.until('a frame', () => frames.length);
  await T.sleep(ms);
  const steps = (key) => frames.slice(1).map((f, i) => f[key] - frames[i][key]);
  return {
    first: frames[0].at - t0,
    fps: (1000 * frames.length) / ms,
    wait: Math.max(...steps('at')),
    step: Math.max(...steps('of')),
    back: steps('of').filter((s) => s < 0).length,
  };
}

// ---- what a publisher sends ---------------------------------------------------------------------

const videoSender = (name) => T.pc(name).getSenders().find((s) => s.track?.kind === 'video');

// Keeps the size whatever the load of the machine is.
async function keepSize(name) {
  const sender = videoSender(name);
  const params = sender.getParameters();
  params.degradationPreference = 'maintain-resolution';
  await sender.setParameters(params);
}

async function setActive(name, rid, active) {
  const sender = videoSender(name);
  const params = sender.getParameters();
  params.encodings.find((e) => e.rid === rid).active = active;
  await sender.setParameters(params);
}

// [{ rid, width, frames, codec, mode }] of the layers that are encoded.
async function sending(name) {
  const report = await videoSender(name).getStats();
  return [...report.values()].filter((s) => s.type === 'outbound-rtp')
    .map((s) => ({
      rid: s.rid, width: s.frameWidth ?? 0, frames: s.framesEncoded ?? 0, sent: s.framesSent ?? 0, bytes: s.bytesSent ?? 0, mode: s.scalabilityMode,
      encoder: s.encoderImplementation, codec: report.get(s.codecId)?.mimeType,
    }));
}

Object.assign(T, {
  codecOf, canSend, receiving, shownFrom, skew, watchFrames, framesOf, widthBecomes, switchTo, shownSince, frameRate, keepSize, setActive, sending,
  offerSurround, answerSurround, SURROUND, transformAll, numberOf, payloadTypes: () => [...payloadTypes],
});
