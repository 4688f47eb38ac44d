// What the tests do in a page, with the unmodified janus.js. Everything hangs on window.T;
// handles, cameras and so on have names, so that tests can speak of them in evaluate().

import Janus from '/janus.js';
import { Coverage } from '/coverage.js';

const ECHO = 'janus.plugin.echotest';
const ROOM = 'janus.plugin.videoroom';

const handles = new Map(); // name -> { handle, events, up, remote: Map(mid -> { track, element }) }
let janus;

// What this page has used of janus.js, and what there is: { offered, used } of session, handle and
// the callbacks of a handle; requests: { plugin: [name] }.
const ofSession = new Coverage();
const ofHandle = new Coverage();
const callbacksUsed = new Set();
const requestsSent = {};
let offered = {};

const functionsOf = (object) => Object.keys(object).filter((name) => typeof object[name] === 'function');
const coverage = () => ({
  session: { offered: offered.session, used: [...ofSession.called] },
  handle: { offered: offered.handle, used: [...ofHandle.called] },
  callbacks: { offered: offered.callbacks, used: [...callbacksUsed] },
  requests: Object.fromEntries(Object.entries(requestsSent).map(([plugin, names]) => [plugin, [...names]])),
});

function noteRequest(plugin, name) {
  (requestsSent[plugin] ??= new Set()).add(name);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, fn, ms = 30000) {
  const end = performance.now() + ms;
  for (;;) {
    const value = await fn();
    if (value) return value;
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(10);
  }
}

// ---- sessions and handles -----------------------------------------------------------------------

// @server: a URL of http or ws, or a list of them.
async function connect(server) {
  if (!window.T.ready) {
    await new Promise((resolve) =>
      Janus.init({
        debug: ['warn', 'error'],
        dependencies: Janus.useDefaultDependencies({ adapter: window.adapter }),
        callback: resolve,
      }));
    window.T.ready = true;
  }
  janus = await new Promise((resolve, reject) => {
    const j = new Janus({
      server,
      iceServers: [],
      destroyOnUnload: true,
      success: () => resolve(j),
      error: (e) => {
        window.T.lost = String(e);
        reject(new Error(String(e)));
      },
      destroyed: () => (window.T.destroyed = true),
    });
  });
  offered.session = functionsOf(janus);
  janus = ofSession.watch(janus);
  return janus.getSessionId();
}

const destroy = () => new Promise((success, error) => janus.destroy({ success, error }));
const reconnect = () => new Promise((success, error) => janus.reconnect({ success, error }));

function show(entry, track, mid, on) {
  const old = entry.remote.get(mid);
  if (!on) {
    old?.element.remove();
    entry.remote.delete(mid);
    return;
  }
  if (old?.track === track) return;
  old?.element.remove();
  const element = document.createElement(track.kind === 'video' ? 'video' : 'audio');
  element.autoplay = true;
  element.playsInline = true;
  element.width = 320;
  element.srcObject = new MediaStream([track]);
  document.body.append(element);
  element.play().catch(() => {});
  entry.remote.set(mid, { track, element });
}

// Attaches to @plugin; @onJsep(entry, data, jsep) answers what comes with SDP.
function attach(name, plugin, onJsep) {
  return new Promise((resolve, reject) => {
    const entry = { name, events: [], remote: new Map(), data: [], labels: [], localTracks: [], up: false, hangups: [] };
    const callbacks = {
      success: (handle) => {
        offered.handle ??= functionsOf(handle).filter((f) => !offered.callbacks.includes(f));
        entry.handle = ofHandle.watch(handle);
        handles.set(name, entry);
        resolve(entry);
      },
      error: (e) => reject(new Error(String(e))),
      consentDialog: (on) => (entry.consent = on),
      connectionState: (state) => (entry.connection = state),
      webrtcState: (on, reason) => {
        entry.up = on;
        if (!on) entry.hangups.push(reason);
      },
      iceState: (state) => (entry.ice = state),
      mediaState: (medium, receiving, mid) => entry.events.push({ mediaState: medium, receiving, mid }),
      slowLink: (uplink, lost, mid) => entry.events.push({ slowLink: uplink, lost, mid }),
      oncleanup: () => (entry.cleaned = true),
      ondetached: () => (entry.detached = true),
      ondataopen: () => (entry.dataOpen = true),
      ondata: (d, label) => {
        entry.data.push(d);
        entry.labels.push(label);
      },
      onmessage: (data, jsep) => {
        entry.events.push(data);
        if (jsep) entry.lastJsep = jsep;
        Promise.resolve(onJsep?.(entry, data, jsep)).catch((e) => {
          entry.error = String(e?.stack ?? e);
          console.error(entry.error);
        });
      },
      onlocaltrack: (track, on) => entry.localTracks.push([track.kind, on]),
      onremotetrack: (track, mid, on) => show(entry, track, mid, on),
    };
    offered.callbacks = Object.keys(callbacks);
    for (const [key, fn] of Object.entries(callbacks))
      callbacks[key] = (...args) => {
        callbacksUsed.add(key);
        fn(...args);
      };
    janus.attach({ plugin, opaqueId: name, ...callbacks });
  });
}

const of = (name) => {
  const entry = handles.get(name);
  if (!entry) throw new Error(`no handle ${name}`);
  return entry;
};

// Without trickling janus.js calls success twice, first with nothing.
const createOffer = (entry, options) =>
  new Promise((resolve, error) => {
    entry.handle.createOffer({ ...options, success: (jsep) => jsep && resolve(jsep), error });
  });
const createAnswer = (entry, options) =>
  new Promise((success, error) => entry.handle.createAnswer({ ...options, success, error }));
const accept = (entry, jsep) =>
  new Promise((success, error) => entry.handle.handleRemoteJsep({ jsep, success, error }));
function send(entry, message, jsep) {
  noteRequest(entry.handle.plugin, message.request);
  return new Promise((success, error) => entry.handle.send({ message, jsep, success, error }));
}

// Sends a request; gives the event for which @matches is true. Only later events count.
async function ask(name, message, matches, jsep) {
  const entry = of(name);
  const from = entry.events.length;
  const sync = await send(entry, message, jsep);
  if (sync) return sync;
  return until(`event after ${JSON.stringify(message)}; had ${JSON.stringify(entry.events.slice(from))}`,
    () => entry.events.slice(from).find((e) => e.error_code || matches(e)));
}

const detach = (name) =>
  new Promise((success, error) => of(name).handle.detach({ success, error, noRequest: false }));

// ---- what cameras show --------------------------------------------------------------------------

// A track of a canvas in @colour [r, g, b] with a moving white bar, so that frames differ; with
// @noise squares anywhere they are large, too.
function painted(colour, { width = 320, height = 240, fps = 20, noise = 0 } = {}) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  let n = 0;
  const paint = () => {
    context.fillStyle = `rgb(${colour.join(',')})`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = 'white';
    context.fillRect((n++ * 8) % width, height - 20, 40, 20);
    for (let i = 0; i < noise; i++) {
      context.fillStyle = `hsl(${Math.random() * 360}, 80%, 50%)`;
      context.fillRect(Math.random() * width, Math.random() * height, 9, 9);
    }
  };
  paint();
  setInterval(paint, 1000 / fps);
  return canvas.captureStream(fps).getVideoTracks()[0];
}

// A track of a steady tone on each of @channels; the fake microphone is silent between its beeps.
function tone(channels = 1) {
  const context = new AudioContext();
  const merger = context.createChannelMerger(channels);
  for (let i = 0; i < channels; i++) {
    const source = new OscillatorNode(context, { frequency: 200 + 100 * i });
    source.connect(merger, 0, i);
    source.start();
  }
  const out = new MediaStreamAudioDestinationNode(context, { channelCount: channels });
  merger.connect(out);
  return out.stream.getAudioTracks()[0];
}

// A microphone in front of somebody who hums while speak(@name, true).
const mouths = new Map();
function mouth(name) {
  const context = new AudioContext();
  const source = new OscillatorNode(context, { frequency: 300 });
  const gain = new GainNode(context, { gain: 0 });
  const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  source.connect(gain).connect(out);
  source.start();
  mouths.set(name, gain);
  return out.stream.getAudioTracks()[0];
}
const speak = (name, on) => (mouths.get(name).gain.value = on ? 0.3 : 0);

// 'camera' (the browser's fake one), { colour }, or nothing.
function capture(video) {
  if (video === 'camera') return { width: 640, height: 480 };
  return painted(video.colour, video);
}

// video.encodings: simulcast; video.svc: a scalability mode.
function tracksOf({ audio = true, video = 'camera', data = false, recv = true }) {
  const tracks = [];
  if (audio) tracks.push({ type: 'audio', capture: audio.mouth ? mouth(audio.mouth) : true, recv });
  if (video) {
    const { encodings, svc } = video;
    tracks.push({ type: 'video', capture: capture(video), recv, simulcast: !!encodings, sendEncodings: encodings, svc });
  }
  if (data) tracks.push({ type: 'data' });
  return tracks;
}

// ---- echo ---------------------------------------------------------------------------------------

// The description without the candidates of the other transports, as if a network blocked them.
const only = (transport, jsep) => ({
  ...jsep,
  sdp: jsep.sdp.split('\r\n').filter((l) => !l.startsWith('a=candidate:') || l.split(' ')[2].toLowerCase() === transport).join('\r\n'),
});

async function echo(name = 'echo', options = {}) {
  const { transport: way } = options;
  const entry = await attach(name, ECHO, (e, data, jsep) => jsep && accept(e, way ? only(way, jsep) : jsep));
  const jsep = await createOffer(entry, { tracks: tracksOf(options), trickle: options.trickle });
  await send(entry, { audio: true, video: true }, jsep);
  await until('WebRTC up', () => entry.up);
}

// ---- room ---------------------------------------------------------------------------------------

// Joins; subscribes to everybody who publishes (one subscriber handle for all: `${name}-sub`), and
// keeps doing so, unless options.watch is false. Publishes unless options.publish is false.
async function join(name, options = {}) {
  const t0 = performance.now();
  const { room = 1234, display = name, watch = true, publish: doPublish = true } = options;
  const known = new Map(); // feed -> streams
  const entry = await attach(name, ROOM, async (e, data, jsep) => {
    if (jsep) await accept(e, jsep);
    if (data.publishers && watch) subscribe(e, data.publishers);
    const gone = data.leaving ?? data.unpublished;
    if (gone !== undefined && gone !== 'ok' && watch) unsubscribe(e, gone);
  });
  Object.assign(entry, { room, known, t0, chain: Promise.resolve() });
  const joined = await ask(name, { request: 'join', ptype: 'publisher', room, display, id: options.id },
    (e) => e.videoroom === 'joined');
  if (joined.error_code) throw new Error(`join: ${joined.error_code} ${joined.error}`);
  entry.id = joined.id;
  entry.privateId = joined.private_id;
  if (doPublish) await publish(name, options);
  return joined.id;
}

async function publish(name, options = {}) {
  const entry = of(name);
  const jsep = await createOffer(entry, { tracks: tracksOf({ ...options, recv: false }), trickle: options.trickle, externalEncryption: options.e2ee });
  const done = await ask(name, { request: 'configure', audio: true, video: true }, (e) => e.configured, jsep);
  if (done.error_code) throw new Error(`configure: ${done.error_code} ${done.error}`);
  await until('WebRTC up (publisher)', () => entry.up);
  return done;
}

// Another offer on the same connection: adds, replaces or removes tracks, restarts ICE.
async function renegotiate(name, { tracks, iceRestart, message = { request: 'configure' } }) {
  const entry = of(name);
  for (const t of tracks ?? []) if (t.video) t.capture = capture(t.video);
  const jsep = await createOffer(entry, { tracks, iceRestart });
  return ask(name, message, (e) => e.configured || e.result, jsep);
}

async function replaceTracks(name, tracks) {
  for (const t of tracks) if (t.video) t.capture = capture(t.video);
  await new Promise((success, error) => of(name).handle.replaceTracks({ tracks, success, error }));
}

async function unpublish(name) {
  const entry = of(name);
  const done = await ask(name, { request: 'unpublish' }, (e) => e.unpublished === 'ok');
  await until('WebRTC down', () => !entry.up);
  return done;
}

const streamsOf = (publishers, feed) => publishers.get(feed) ?? [];

async function onOffer(entry, data, jsep) {
  if (data.streams) entry.streams = data.streams;
  if (!jsep) return;
  const answer = await createAnswer(entry, { jsep, tracks: [{ type: 'data' }], externalEncryption: jsep.e2ee });
  await send(entry, { request: 'start', room: entry.room }, answer);
}

// Requests of one subscriber go one after the other.
function inTurn(entry, fn) {
  entry.chain = entry.chain.then(fn).catch((e) => {
    entry.error = String(e?.stack ?? e);
    console.error(entry.error);
  });
  return entry.chain;
}

function subscribe(entry, publishers) {
  return inTurn(entry, async () => {
    const wanted = [];
    for (const p of publishers) {
      const had = new Set(streamsOf(entry.known, p.id).map((s) => s.mid));
      for (const s of p.streams)
        if (!s.disabled && !had.has(s.mid)) wanted.push({ feed: p.id, mid: s.mid });
      entry.known.set(p.id, p.streams.filter((s) => !s.disabled));
    }
    if (!wanted.length) return;
    const name = `${entry.name}-sub`;
    let sub = handles.get(name);
    if (!sub) {
      sub = await attach(name, ROOM, onOffer);
      sub.room = entry.room;
      const reply = await ask(name,
        { request: 'join', ptype: 'subscriber', room: entry.room, streams: wanted, private_id: entry.privateId, use_msid: true },
        (e) => e.videoroom === 'attached');
      if (reply.error_code) throw new Error(`subscribe: ${reply.error_code} ${reply.error}`);
    } else {
      const reply = await ask(name, { request: 'update', subscribe: wanted },
        (e) => e.videoroom === 'updated' || e.videoroom === 'updating');
      if (reply.error_code) throw new Error(`update: ${reply.error_code} ${reply.error}`);
    }
  });
}

function unsubscribe(entry, feed) {
  return inTurn(entry, async () => {
    const sub = handles.get(`${entry.name}-sub`);
    if (!entry.known.delete(feed) || !sub) return;
    if (!sub.streams?.some((s) => s.feed_id === feed && s.active)) return;
    await ask(sub.name, { request: 'update', unsubscribe: [{ feed }] },
      (e) => e.videoroom === 'updated' || e.videoroom === 'updating');
  });
}

// A subscriber handle of its own, for @stream; options.legacy: by feed, as old pages do.
// @stream: an item of `streams`, or several.
async function watchOnly(name, stream, { room = 1234, legacy = false } = {}) {
  const entry = await attach(name, ROOM, onOffer);
  entry.room = room;
  const what = legacy ? { feed: stream.feed } : { streams: [stream].flat() };
  const reply = await ask(name, { request: 'join', ptype: 'subscriber', room, ...what }, (e) => e.videoroom === 'attached');
  if (reply.error_code) throw new Error(`subscribe: ${reply.error_code} ${reply.error}`);
}

// What a page does that wants its place freed when it is closed.
function beaconOnPagehide(base) {
  const url = `${base}/${janus.getSessionId()}`; // janus.js forgets it before pagehide
  addEventListener('pagehide', () =>
    navigator.sendBeacon(url, JSON.stringify({ janus: 'destroy', transaction: 'bye' })));
}

// Keeps the sockets that janus.js opens from now on; breakSocket() closes the last one.
const sockets = [];
function rememberSockets() {
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      sockets.push(this);
    }
  };
}
const breakSocket = () => sockets.at(-1).close();

// A whole visit: session, room, media in both directions, and gone. Time to the first frame in ms,
// or, with options.brief, to both connections.
async function visit(server, name, options) {
  await connect(server);
  await join(name, options);
  const ms = options.brief ? await until('a subscription', () => handles.get(`${name}-sub`)?.up) : await firstFrame(name);
  await destroy();
  for (const entry of handles.values()) entry.remote.forEach(({ element }) => element.remove());
  handles.clear();
  return ms;
}

// ---- looking at what arrives --------------------------------------------------------------------

// { mid: { kind, frames, fps, width, height, packets, bytes, lost, energy, active } }
async function received(name) {
  const out = {};
  const pc = of(name).handle.webrtcStuff.pc;
  for (const tr of pc?.getTransceivers() ?? []) {
    const report = await tr.receiver.getStats();
    for (const s of report.values()) {
      if (s.type !== 'inbound-rtp') continue;
      out[tr.mid] = {
        kind: tr.receiver.track.kind,
        ssrc: s.ssrc,
        frames: s.framesDecoded ?? 0,
        keyFrames: s.keyFramesDecoded ?? 0,
        fps: s.framesPerSecond ?? 0,
        width: s.frameWidth ?? 0,
        height: s.frameHeight ?? 0,
        packets: s.packetsReceived,
        samples: s.totalSamplesReceived ?? 0,
        concealed: s.concealedSamples ?? 0,
        bytes: s.bytesReceived,
        lost: s.packetsLost,
        energy: s.totalAudioEnergy ?? 0,
        freezes: s.freezeCount ?? 0,
        direction: tr.currentDirection,
      };
    }
  }
  return out;
}

// The picture of a remote video as seen now: mean colour, and a hash that changes with the frame.
function look(name, mid) {
  const video = of(name).remote.get(mid)?.element;
  if (!video?.videoWidth) return null;
  const canvas = document.createElement('canvas');
  canvas.width = 64;
  canvas.height = 48;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(video, 0, 0, 64, 48);
  const { data } = context.getImageData(0, 0, 64, 48);
  const sum = [0, 0, 0];
  let hash = 0;
  for (let i = 0; i < data.length; i += 4) {
    for (let c = 0; c < 3; c++) {
      if (i / 4 < 64 * 30) sum[c] += data[i + c];
      hash = (hash * 31 + data[i + c]) | 0;
    }
  }
  return { colour: sum.map((s) => Math.round(s / (64 * 30))), hash, width: video.videoWidth, height: video.videoHeight };
}

// Waits until the video of @mid has decoded some frames and shows pictures that differ.
async function seesMotion(name, mid, ms = 30000) {
  const start = (await received(name))[mid]?.frames ?? 0;
  const hashes = new Set();
  await until(`moving pictures on ${name} mid ${mid}`, async () => {
    const seen = look(name, mid);
    if (seen) hashes.add(seen.hash);
    return hashes.size >= 3 && (await received(name))[mid]?.frames >= start + 3;
  }, ms);
  return { ...(await received(name))[mid], ...look(name, mid) };
}

// The mids of a subscriber handle that carry @kind of @feed.
function midsOf(name, feed, kind = 'video') {
  return (of(name).streams ?? [])
    .filter((s) => s.active && s.type === kind && (feed === undefined || s.feed_id === feed))
    .map((s) => s.mid);
}

// Waits until @name (a participant) sees moving pictures of @n others; what they look like.
async function seesOthers(name, n, ms = 30000) {
  const sub = await until('a subscription', () => handles.get(`${name}-sub`), ms);
  await until(`${n} videos; has ${JSON.stringify(sub.streams)}`, () => midsOf(sub.name).length >= n, ms);
  const out = [];
  for (const mid of midsOf(sub.name)) {
    const { feed_id, feed_display } = sub.streams.find((s) => s.mid === mid);
    out.push({ feed: feed_id, display: feed_display, mid, ...(await seesMotion(sub.name, mid, ms)) });
  }
  return out;
}

async function hearsSomething(name, mid, ms = 30000) {
  const start = (await received(name))[mid]?.energy ?? 0;
  return until(`sound on ${name} mid ${mid}`, async () => {
    const now = (await received(name))[mid];
    return now && now.packets > 20 && now.energy > start && now;
  }, ms);
}

// Waits until nothing more of @mid comes: what was sent before still does, for a while.
async function rests(name, mid) {
  const packets = async () => (await received(name))[mid]?.packets ?? 0;
  await until(`nothing on ${name} mid ${mid}`, async () => {
    const before = await packets();
    await sleep(700);
    return (await packets()) === before;
  }, 10000);
}

// From a participant's join to its first decoded frame of somebody, in ms; polls each 5 ms.
async function firstFrame(name, ms = 30000) {
  const entry = of(name);
  for (;;) {
    const sub = handles.get(`${name}-sub`);
    for (const s of sub ? Object.values(await received(sub.name)) : [])
      if (s.kind === 'video' && s.frames > 0) return performance.now() - entry.t0;
    if (performance.now() - entry.t0 > ms) throw new Error(`no frame within ${ms} ms`);
    await sleep(5);
  }
}

// When the first picture of @mid was shown to subscriber @name, by performance.now(): statistics are up to 50 ms old.
async function firstShown(name, mid = '0', ms = 30000) {
  const { element } = await until(`a track of ${name}`, () => handles.get(name)?.remote.get(mid), ms);
  return Promise.race([
    new Promise((resolve) => element.requestVideoFrameCallback((now, frame) => resolve(frame.presentationTime))),
    sleep(ms).then(() => { throw new Error(`${name}: no picture within ${ms} ms`); }),
  ]);
}

// The ICE user fragment and the DTLS state, which tell restarts from new connections.
// The protocol of the selected pair.
async function protocol(name) {
  const stats = await of(name).handle.webrtcStuff.pc.getStats();
  const all = [...stats.values()];
  const id = all.find((s) => s.type === 'transport')?.selectedCandidatePairId;
  const pair = all.find((s) => s.type === 'candidate-pair' && (id ? s.id === id : s.selected));
  return stats.get(pair?.remoteCandidateId)?.protocol;
}

function transport(name) {
  const pc = of(name).handle.webrtcStuff.pc;
  const sdp = pc?.remoteDescription?.sdp ?? '';
  return {
    ufrag: /^a=ice-ufrag:(.*)$/m.exec(sdp)?.[1].trim(),
    fingerprint: /^a=fingerprint:(.*)$/m.exec(sdp)?.[1].trim(),
    state: pc?.connectionState,
    lite: /^a=ice-lite/m.test(sdp),
  };
}

const state = (name) => {
  const { events, up, hangups, streams, error, data, dataOpen, detached, id } = of(name);
  return JSON.parse(JSON.stringify({ events, up, hangups, streams, error, data, dataOpen, detached, id }));
};
// What came over data channels: its number, the bytes of its binary messages, their hash, and the labels.
async function heard(name) {
  const { data, labels } = of(name);
  const binary = data.filter((d) => typeof d !== 'string');
  const bytes = await new Blob(binary).arrayBuffer();
  return { n: data.length, bytes: bytes.byteLength, hash: await sha256(bytes), labels: [...new Set(labels)] };
}

async function sha256(bytes) {
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return [...new Uint8Array(digest)].map((x) => x.toString(16).padStart(2, '0')).join('');
}

const has = (name) => handles.has(name);
// Text, or an ArrayBuffer.
const say = (name, text) => new Promise((success, error) => of(name).handle.data({ text, success, error }));

export { handles, of, painted, show, tone, until };

window.T = {
  visit, coverage, noteRequest, session: () => janus, handle: (name) => of(name).handle,
  accept: (name, jsep) => accept(of(name), jsep), answer: (name, options) => createAnswer(of(name), options),
  tone, tracksOf, lastJsep: (name) => of(name).lastJsep, until,
  connect, destroy, reconnect, attach, ask, detach, echo, join, publish, unpublish, renegotiate, replaceTracks,
  received, look, seesMotion, seesOthers, hearsSomething, rests, firstFrame, firstShown, midsOf, transport, protocol, state, has, say,
  heard, sha256, sleep,
  offer: (name, tracks, iceRestart, customizeSdp) => createOffer(of(name), { tracks, iceRestart, customizeSdp }),
  watchOnly, speak, beaconOnPagehide, rememberSockets, breakSocket,
  remote: (name, mid) => of(name).remote.get(mid),
  pc: (name) => of(name).handle.webrtcStuff.pc,
  sessionId: () => janus.getSessionId(),
};
