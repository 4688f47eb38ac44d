// Every method and event of the VideoRoom plugin of the unmodified janode.

import assert from 'node:assert/strict';
import Janode from 'janode';
import VideoRoomPlugin from 'janode/plugins/videoroom';
import { Coverage, methodsOf } from '../lib/coverage.mjs';
import { connect, next, Peers } from '../lib/janode.mjs';
import { LossyPath } from '../lib/lossy.mjs';
import { test } from '../lib/runner.mjs';

const { EVENT } = VideoRoomPlugin;
const ROOM = 5555;
const SECRET = 's';
const WITH_SECRET = { room: ROOM, secret: SECRET };
// Two layers with two temporal layers each; smaller pictures have no second layer in Chromium.
const SIMULCAST = {
  recv: false,
  size: { width: 640, height: 360, fps: 15 },
  encodings: [
    { rid: 'h', maxBitrate: 400000, scalabilityMode: 'L1T2' },
    { rid: 'l', maxBitrate: 100000, scaleResolutionDownBy: 2, scalabilityMode: 'L1T2' },
  ],
};

// Rooms: made, listed, guarded.
async function manage(room) {
  const created = await room.create({
    room: ROOM, description: 'janode', max_publishers: 4, secret: SECRET, pin: 'p', is_private: false, permanent: false,
    bitrate: 0, bitrate_cap: false, fir_freq: 0, audiocodec: 'opus', videocodec: 'vp8,h264', talking_events: true,
    talking_level_threshold: 126, talking_packets_threshold: 10, require_pvtid: false, notify_joining: true,
    require_e2ee: false, record: false, rec_dir: '/nowhere', videoorient: true, h264_profile: '42e01f', threads: 0,
  });
  assert.deepEqual(created, { room: ROOM, permanent: false });
  await assert.rejects(room.create({ room: ROOM }), /427/);
  assert.deepEqual(await room.exists({ room: ROOM }), { room: ROOM, exists: true });
  const listed = (await room.list()).list.find((r) => r.room === ROOM);
  assert.equal(listed.description, 'janode');
  assert.equal(listed.max_publishers, 4);
  assert.equal(listed.pin_required, true);
  assert.deepEqual((await room.allow({ ...WITH_SECRET, action: 'enable' })).list, []);
  assert.deepEqual((await room.allow({ ...WITH_SECRET, action: 'add', list: ['a', 'b'] })).list, ['a', 'b']);
  assert.deepEqual((await room.allow({ ...WITH_SECRET, action: 'remove', list: ['a'] })).list, ['b']);
  await assert.rejects(room.joinPublisher({ room: ROOM, pin: 'p', token: 'a' }), /433/);
  assert.deepEqual((await room.allow({ ...WITH_SECRET, action: 'disable' })).list, []);
  await assert.rejects(room.enable_recording({ ...WITH_SECRET, record: true }), /499/);
}

// Alice publishes layers, Bob by joining; both then change what they send.
async function publish(w) {
  const { alice, bob, peers } = w;
  const joined = await alice.joinPublisher({ room: ROOM, feed: 11, display: 'Alice', pin: 'p' });
  assert.deepEqual([joined.room, joined.feed, joined.display, joined.publishers], [ROOM, 11, 'Alice', []]);
  assert.equal(typeof joined.private_id, 'number');
  const joining = next(w.rawAlice, EVENT.VIDEOROOM_PUB_PEER_JOINED);
  const listed = next(w.rawAlice, EVENT.VIDEOROOM_PUB_LIST);
  const offer = await peers.offer('bob', { recv: false, colour: [30, 200, 30] });
  const both = await bob.joinConfigurePublisher({
    room: ROOM, feed: 12, display: 'Bob', pin: 'p', audio: true, video: true, bitrate: 200000,
    descriptions: [{ mid: '1', description: 'camera' }], jsep: offer,
  });
  assert.deepEqual([both.feed, both.jsep.type], [12, 'answer']);
  assert.deepEqual(await joining, { room: ROOM, feed: 12, display: 'Bob' });
  await peers.accept('bob', both.jsep);
  const [other] = (await listed).publishers;
  assert.deepEqual([other.feed, other.display, other.audiocodec, other.videocodec], [12, 'Bob', 'opus', 'vp8']);
  assert.deepEqual(other.streams.map((s) => [s.mid, s.type, s.description]),
    [['0', 'audio', undefined], ['1', 'video', 'camera']]);

  const seen = next(w.rawBob, EVENT.VIDEOROOM_PUB_LIST);
  const layers = await peers.offer('alice', SIMULCAST);
  const published = await alice.publish({ audio: true, video: true, bitrate: 0, jsep: layers });
  assert.deepEqual([published.feed, published.configured, published.streams.length], [11, 'ok', 2]);
  assert.equal(published.streams[1].simulcast, true);
  await peers.accept('alice', published.jsep);
  assert.equal((await seen).publishers[0].streams[1].simulcast, true);
  await assert.rejects(alice.publish({ jsep: await peers.offer('alice') }), /434/);
  w.talking = next(w.rawBob, EVENT.VIDEOROOM_TALKING, (m) => m.feed === 11 && m.talking);

  const renamed = next(w.rawBob, EVENT.VIDEOROOM_DISPLAY);
  const configured = await alice.configure({ display: 'Alicia', bitrate: 700000, keyframe: true, audio: true, video: true });
  assert.deepEqual([configured.configured, configured.display], ['ok', 'Alicia']);
  assert.deepEqual(await renamed, { room: ROOM, feed: 11, display: 'Alicia' });
  const described = next(w.rawBob, EVENT.VIDEOROOM_PUB_LIST);
  await alice.configure({ descriptions: [{ mid: '0', description: 'mic' }] });
  assert.equal((await described).publishers[0].streams[0].description, 'mic');
  const again = await bob.configure({ jsep: await peers.offer('bob'), update: true });
  assert.deepEqual([again.jsep.type, again.update], ['answer', true]);
  await peers.accept('bob', again.jsep);
  await assert.rejects(bob.configure({ streams: [{ mid: 'no', send: false }] }), /428/);
  const { participants } = await alice.listParticipants({ room: ROOM });
  assert.deepEqual(participants.map((p) => [p.feed, p.display, p.publisher]), [[11, 'Alicia', true], [12, 'Bob', true]]);
}

async function answer(w, name, handle, { jsep }) {
  assert.equal(jsep.type, 'offer');
  const started = await handle.start({ jsep: await w.peers.answer(name, jsep) });
  assert.equal(started.started, 'ok');
}

// A subscription by streams, and one as old pages have it.
async function subscribe(w) {
  const { watcher, old, peers } = w;
  const layer = next(w.rawWatcher, EVENT.VIDEOROOM_SC_SUBSTREAM_LAYER);
  const temporal = next(w.rawWatcher, EVENT.VIDEOROOM_SC_TEMPORAL_LAYERS);
  const attached = await watcher.joinSubscriber({
    room: ROOM, pin: 'p', streams: [{ feed: 11, mid: '1' }, { feed: 12 }], autoupdate: true, use_msid: true,
  });
  assert.deepEqual(attached.streams.map((s) => [s.feed_id, s.feed_mid, s.type]),
    [[11, '1', 'video'], [12, '0', 'audio'], [12, '1', 'video']]);
  await answer(w, 'watcher', watcher, attached);
  await peers.seesMotion('watcher', '0');
  await peers.seesMotion('watcher', '2');
  assert.equal((await layer).mid, '0');
  assert.equal((await temporal).mid, '0');

  const low = next(w.rawWatcher, EVENT.VIDEOROOM_SC_SUBSTREAM_LAYER, (m) => m.sc_substream_layer === 0);
  await watcher.configure({ streams: [{ mid: '0', substream: 0, temporal: 0 }] });
  assert.deepEqual(await low, { room: ROOM, mid: '0', sc_substream_layer: 0 });
  assert.equal((await watcher.pause()).paused, 'ok');
  assert.equal((await watcher.start({})).started, 'ok');
  const switched = await watcher.switch({ streams: [{ feed: 12, mid: '1', sub_mid: '0' }] });
  assert.deepEqual([switched.switched, switched.streams[0].feed_id], ['ok', 12]);
  const less = await watcher.update({ unsubscribe: [{ sub_mid: '2' }], subscribe: [{ feed: 11, mid: '0' }] });
  assert.deepEqual(less.streams.map((s) => s.active), [true, true, false, true]);
  await answer(w, 'watcher', watcher, less);
  assert.deepEqual((await watcher.update({ subscribe: [], unsubscribe: [{ feed: 99 }] })).jsep, undefined);
  const auto = next(w.rawWatcher, EVENT.VIDEOROOM_UPDATED);
  const restarted = await watcher.configure({ restart: true });
  await answer(w, 'watcher', watcher, restarted.jsep ? restarted : await auto);
  await peers.seesMotion('watcher', '0');

  const legacy = await old.joinListener({
    room: ROOM, pin: 'p', feed: 11, offer_data: false, sc_substream_layer: 1, sc_temporal_layers: 1,
  });
  assert.deepEqual([legacy.feed, legacy.display, legacy.streams.length], [11, 'Alicia', 2]);
  await answer(w, 'old', old, legacy);
  await peers.seesMotion('old');
  const other = await old.switch({ to_feed: 12, audio: true, video: true });
  assert.deepEqual([other.switched, other.from_feed, other.to_feed, other.display], ['ok', 11, 12, 'Bob']);
  await peers.seesMotion('old');
}

// RTP to elsewhere, in both forms of the request.
async function forward({ alice }) {
  const to = { ...WITH_SECRET, feed: 11, host: '127.0.0.1' };
  const streams = [{ mid: '0', port: 9 }, { mid: '1', port: 9, rtcp_port: 9, substream: 0, ssrc: 7, pt: 100 }];
  const started = await alice.startForward({ ...to, streams });
  assert.deepEqual([started.room, started.feed, started.forwarders.length], [ROOM, 11, 2]);
  assert.deepEqual([started.forwarders[1].ssrc, started.forwarders[1].pt], [7, 100]);
  const { forwarder } = await alice.startForward({ ...to, audio_port: 9, video_port: 9 });
  assert.ok(forwarder.audio_stream && forwarder.video_stream);
  const [mine] = (await alice.listForward(WITH_SECRET)).forwarders;
  assert.equal(mine.feed, 11);
  assert.equal(mine.forwarders.length, 4);
  const stopped = await alice.stopForward({ ...WITH_SECRET, feed: 11, stream: forwarder.audio_stream });
  assert.deepEqual(stopped, { room: ROOM, feed: 11, stream: forwarder.audio_stream });
  await assert.rejects(alice.stopForward({ ...WITH_SECRET, feed: 11, stream: forwarder.audio_stream }), /428/);
}

async function part(w) {
  const { alice, bob, watcher, old } = w;
  const unpublished = next(w.rawBob, EVENT.VIDEOROOM_UNPUBLISHED);
  const updated = next(w.rawWatcher, EVENT.VIDEOROOM_UPDATED);
  assert.equal((await alice.unpublish()).feed, 11);
  assert.deepEqual(await unpublished, { room: ROOM, feed: 11, display: 'Alicia' });
  assert.equal((await updated).jsep.type, 'offer');
  assert.equal((await old.leave()).feed, 12);
  const left = next(w.rawBob, EVENT.VIDEOROOM_LEAVING);
  assert.equal((await alice.leave()).feed, 11);
  assert.equal((await left).feed, 11);
  await assert.rejects(alice.leave(), /426/);

  // Of a participant with a name, janode takes `kicked` for a change of the name.
  const kicked = next(w.rawBob, EVENT.VIDEOROOM_KICKED);
  const out = next(w.rawGuest, EVENT.VIDEOROOM_LEAVING);
  await w.guest.joinPublisher({ room: ROOM, pin: 'p', feed: 13 });
  assert.deepEqual(await bob.kick({ ...WITH_SECRET, feed: 13 }), { room: ROOM, feed: 13 });
  assert.equal((await kicked).feed, 13);
  assert.equal((await out).reason, 'kicked');

  const destroyed = next(w.rawWatcher, EVENT.VIDEOROOM_DESTROYED);
  assert.equal((await bob.destroy({ ...WITH_SECRET, permanent: false })).room, ROOM);
  assert.equal((await destroyed).room, ROOM);
  await assert.rejects(watcher.update({ subscribe: [{ feed: 11 }] }), /426/);
}

test('janode: every method of VideoRoom', { tags: ['asan'] }, async (t) => {
  const server = await t.server({ media: { slowlink_threshold: 1 } });
  const path = new LossyPath();
  t.onClose(() => path.stop());
  const w = { peers: new Peers(await t.client(), path) };
  const seen = new Coverage();
  for (const name of ['Alice', 'Bob', 'Watcher', 'Old', 'Guest']) {
    const session = await (await connect(t, server)).create();
    w[`raw${name}`] = await session.attach(VideoRoomPlugin);
    w[name.toLowerCase()] = seen.watch(w[`raw${name}`], Object.values(EVENT));
  }

  await manage(w.alice);
  await publish(w);
  await subscribe(w);
  await forward(w);
  assert.ok((await w.talking).audio_level < 126);
  const slow = next(w.rawAlice, EVENT.VIDEOROOM_SLOWLINK);
  path.beBad(true);
  assert.equal((await slow).bitrate, 700000);
  path.beBad(false);
  await part(w);

  seen.assertCalled(methodsOf(VideoRoomPlugin.Handle.prototype), { handleMessage: 'what the package itself calls' });
  const ANSWER = 'it answers a request';
  seen.assertCame(Object.values(EVENT), {
    [EVENT.VIDEOROOM_CONFIGURED]: ANSWER,
    [EVENT.VIDEOROOM_ERROR]: ANSWER,
    [EVENT.VIDEOROOM_RECORDING_ENABLED_STATE]: ANSWER,
  });
});
