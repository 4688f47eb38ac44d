// Streams that leave the server: a publisher of one server in a room of another, and forwarders that
// a plain socket or GStreamer receives.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import path from 'node:path';
import { freePorts } from '../lib/ports.mjs';
import { test } from '../lib/runner.mjs';
import { WsClient } from '../lib/protocol.mjs';
import { createRoom } from '../lib/rooms.mjs';
import { until } from '../lib/until.mjs';

const RED = [200, 30, 30];
const ROOM = 1234;

class Admin {
  static async open(server, room = ROOM) {
    const a = new Admin();
    a.room = room;
    a.ws = await WsClient.open(server.ws);
    a.session = await a.ws.create();
    a.handle = await a.ws.attach(a.session, 'janus.plugin.videoroom');
    return a;
  }

  async ask(body) {
    const reply = await this.ws.message(this.session, this.handle, { room: this.room, ...body });
    assert.equal(reply.error, undefined, JSON.stringify(reply));
    return reply;
  }
}

async function publisher(t, server) {
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate((colour) => T.join('red', { video: { colour } }), RED);
  return page;
}

async function participant(admin) {
  const { participants } = await admin.ask({ request: 'listparticipants' });
  assert.equal(participants.length, 1);
  return participants[0].id;
}

// What a receiver of RTP sees within @ms: packets by SSRC.
async function receiver(t, port = 0) {
  const socket = dgram.createSocket('udp4');
  const seen = new Map();
  socket.on('message', (data) => {
    const ssrc = data.readUInt32BE(8);
    if (data[1] >= 192 && data[1] < 224) return; // RTCP
    seen.set(ssrc, [...(seen.get(ssrc) ?? []), data]);
  });
  await new Promise((resolve) => socket.bind(port, '127.0.0.1', resolve));
  t.onClose(() => socket.close());
  return { port: socket.address().port, seen };
}

test('a publisher in a room of another server', { variants: [['chromium', 'lite']] }, async (t) => {
  const a = await t.server();
  const b = await t.server();
  await publisher(t, a);
  const [onA, onB] = [await Admin.open(a), await Admin.open(b)];
  const id = await participant(onA);
  const crypto = { srtp_suite: 80, srtp_crypto: Buffer.alloc(30, 7).toString('base64') };

  const remote = await onB.ask({
    request: 'add_remote_publisher', id: 3000, display: 'red', ...crypto,
    streams: [
      { mid: '0', mindex: 0, type: 'audio', codec: 'opus' },
      { mid: '1', mindex: 1, type: 'video', codec: 'vp8' },
    ],
  });
  assert.equal(remote.id, 3000);
  // By name, which is looked up.
  await onA.ask({
    request: 'publish_remotely', publisher_id: id, remote_id: 'b', host: 'localhost', host_family: 'ipv4',
    port: remote.port, rtcp_port: remote.rtcp_port, ...crypto,
  });
  const { list } = await onA.ask({ request: 'listremotes', publisher_id: id });
  assert.deepEqual(list, [{ remote_id: 'b', host: '127.0.0.1', port: remote.port, rtcp_port: remote.rtcp_port }]);

  const page = await t.client();
  await page.evaluate((url) => T.connect(url), b.ws);
  await page.evaluate(() => T.join('green', { video: { colour: [30, 160, 30] } }));
  const [seen] = await page.evaluate(() => T.seesOthers('green', 1));
  for (let c = 0; c < 3; c++) assert.ok(Math.abs(seen.colour[c] - RED[c]) < 45, `saw ${seen.colour}`);
  const [audio] = await page.evaluate(() => T.midsOf('green-sub', undefined, 'audio'));
  await page.evaluate((m) => T.hearsSomething('green-sub', m), audio);

  await onA.ask({ request: 'unpublish_remotely', publisher_id: id, remote_id: 'b' });
  await onB.ask({ request: 'remove_remote_publisher', id: 3000 });
  await page.waitFor(() => T.midsOf('green-sub').length === 0);
});

// The dependency descriptor comes along: layers can be chosen at the second server, too.
for (const codec of ['vp9', 'av1'])
  test(`SVC with ${codec} in a room of another server`, { variants: [['chromium', 'lite']], browsers: ['chromium'] }, async (t) => {
    const [a, b] = [await t.server(), await t.server()];
    const room = await createRoom(a, { videocodec: codec });
    assert.equal(await createRoom(b, { videocodec: codec }, room), room);
    const page = await t.client();
    await page.evaluate((url) => T.connect(url), a.ws);
    const publisher_id = await page.evaluate(([o]) => T.join('pub', o),
      [{ room, watch: false, audio: false, video: { colour: RED, width: 960, height: 540, fps: 15, svc: 'L3T3' } }]);
    const [onA, onB] = [await Admin.open(a, room), await Admin.open(b, room)];
    // The first server says what the second one is to be told.
    const { port } = await receiver(t);
    const { streams } = await onA.ask({ request: 'publish_remotely', publisher_id, remote_id: 'look', host: '127.0.0.1', port });
    await onA.ask({ request: 'unpublish_remotely', publisher_id, remote_id: 'look' });
    assert.ok(streams[0].svc && streams[0].depdesc_ext_id > 0, JSON.stringify(streams));
    const remote = await onB.ask({ request: 'add_remote_publisher', id: 3000, streams });
    await onA.ask({ request: 'publish_remotely', publisher_id, remote_id: 'b', host: '127.0.0.1', port: remote.port, rtcp_port: remote.rtcp_port });

    const viewer = await t.client();
    await viewer.evaluate((url) => T.connect(url), b.ws);
    await viewer.evaluate((r) => T.watchOnly('sub', { feed: 3000 }, { room: r }), room);
    const [mid] = await viewer.evaluate(() => T.midsOf('sub'));
    await page.evaluate(() => T.keepSize('pub'));
    await viewer.evaluate((m) => T.watchFrames('sub', m), mid);
    await viewer.evaluate((m) => T.widthBecomes('sub', m, 960), mid);
    const times = [];
    for (const [spatial_layer, width] of [[0, 240], [1, 480], [2, 960], [0, 240], [2, 960]]) {
      const { ms } = await viewer.evaluate(([m, s, w]) => T.switchTo('sub', m, s, w), [mid, { spatial_layer }, width]);
      times.push(ms.toFixed(0));
      await viewer.evaluate(() => T.sleep(400));
    }
    t.note(`switches at the second server: ${times.join(' ')} ms`);
  });

test('data in a room of another server', { variants: [['chromium', 'lite'], ['firefox', 'lite']], tags: ['asan'] }, async (t) => {
  const [a, b] = [await t.server(), await t.server()];
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), a.ws);
  await page.evaluate((colour) => T.join('red', { video: { colour }, data: true, watch: false }), RED);
  await page.waitFor(() => T.state('red').dataOpen);
  const [onA, onB] = [await Admin.open(a), await Admin.open(b)];
  const publisher_id = await participant(onA);
  const crypto = { srtp_suite: 80, srtp_crypto: Buffer.alloc(30, 9).toString('base64') };
  const remote = await onB.ask({
    request: 'add_remote_publisher', id: 3000, ...crypto,
    streams: [{ mid: '1', mindex: 1, type: 'video', codec: 'vp8' }, { mid: '2', mindex: 2, type: 'data' }],
  });
  const { streams } = await onA.ask({
    request: 'publish_remotely', publisher_id, remote_id: 'b', host: '127.0.0.1', port: remote.port, rtcp_port: remote.rtcp_port, ...crypto,
  });
  assert.deepEqual(streams.map((s) => s.type), ['audio', 'video', 'data']);
  // Beside it, a plain receiver.
  const plain = dgram.createSocket('udp4');
  const got = [];
  plain.on('message', (m) => got.push(m));
  await new Promise((resolve) => plain.bind(0, '127.0.0.1', resolve));
  t.onClose(() => plain.close());
  const { forwarders } = await onA.ask({
    request: 'rtp_forward', publisher_id, host: '127.0.0.1', streams: [{ mid: streams[2].mid, port: plain.address().port }],
  });
  assert.deepEqual(forwarders.map((f) => [f.type, f.port]), [['data', plain.address().port]]);

  const viewer = await t.client();
  await viewer.evaluate((url) => T.connect(url), b.ws);
  await viewer.evaluate(() => T.join('green', { publish: false }));
  await viewer.waitFor(() => T.has('green-sub') && T.state('green-sub').up);
  const [mid] = await viewer.evaluate(() => T.midsOf('green-sub'));
  await viewer.evaluate((m) => T.seesMotion('green-sub', m), mid);
  const hash = await page.evaluate(async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(50000)).buffer;
    await T.say('red', 'grüße ✓');
    await T.say('red', bytes);
    await T.say('red', new ArrayBuffer(100000)); // too long for a datagram
    await T.say('red', 'bye');
    return T.sha256(bytes);
  });
  await viewer.waitFor(async () => (await T.heard('green-sub')).n >= 3);
  const { data } = await viewer.evaluate(() => T.state('green-sub'));
  assert.deepEqual([data[0], data[2]], ['grüße ✓', 'bye']);
  assert.deepEqual(await viewer.evaluate(() => T.heard('green-sub')), { n: 3, bytes: 50000, hash, labels: ['3000'] });
  await until('the datagrams', () => got.length >= 3);
  assert.deepEqual([got.length, got[0].toString(), got[1].length, got[2].toString()], [3, 'grüße ✓', 50000, 'bye']);
});

test('rtp_forward to a plain receiver', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  await publisher(t, server);
  const admin = await Admin.open(server);
  const publisher_id = await participant(admin);
  const [audio, video] = [await receiver(t), await receiver(t)];
  const { forwarders } = await admin.ask({
    request: 'rtp_forward', publisher_id, host: '127.0.0.1',
    streams: [
      { mid: '0', port: audio.port, ssrc: 7, pt: 100 },
      { mid: '1', port: video.port, ssrc: 8, pt: 101 },
    ],
  });
  assert.deepEqual(forwarders.map((f) => [f.type, f.port, f.ssrc, f.pt]),
    [['audio', audio.port, 7, 100], ['video', video.port, 8, 101]]);
  await until('media at both', () => (audio.seen.get(7)?.length ?? 0) > 20 && (video.seen.get(8)?.length ?? 0) > 20);
  for (const [ssrc, pt, { seen }] of [[7, 100, audio], [8, 101, video]]) {
    assert.deepEqual([...seen.keys()], [ssrc]);
    const packets = seen.get(ssrc);
    assert.ok(packets.every((p) => p[0] >> 6 === 2 && (p[1] & 127) === pt));
    const seqs = packets.map((p) => p.readUInt16BE(2));
    seqs.forEach((s, i) => assert.equal(s, (seqs[0] + i) & 65535, 'no gap'));
  }
  for (const { stream_id } of forwarders) await admin.ask({ request: 'stop_rtp_forward', publisher_id, stream_id });
  const { publishers } = await admin.ask({ request: 'listforwarders' });
  assert.deepEqual(publishers, []);
});

// GStreamer as a receiver: what it decodes of the stream at @port, raw, once there are @buffers of it.
async function decoded(t, port, caps, elements, buffers) {
  const file = path.join(t.dir, `gst-${port}.raw`);
  const child = spawn('gst-launch-1.0', ['-q', 'udpsrc', 'address=127.0.0.1', `port=${port}`, `caps=application/x-rtp,${caps}`,
    ...`! rtpjitterbuffer ! ${elements} ! identity eos-after=${buffers} ! filesink`.split(' '), `location=${file}`],
  { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (d) => { said += d; });
  const end = new Promise((resolve, reject) => {
    child.on('error', () => reject(new Error('there is no gst-launch-1.0; ./quickstart check installs it')));
    child.on('close', resolve);
  });
  t.onClose(() => child.kill());
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  // Its first start looks at all plugins that there are.
  await Promise.race([end, until('GStreamer listens', () => fs.readFileSync('/proc/net/udp', 'utf8').includes(hex), 30000)]);
  return async () => {
    assert.equal(await end, 0, said);
    return fs.readFileSync(file);
  };
}

test('rtp_forward to GStreamer, which decodes it', { variants: [['chromium', 'lite']], browsers: ['chromium'] }, async (t) => {
  const server = await t.server();
  await publisher(t, server);
  const admin = await Admin.open(server);
  const publisher_id = await participant(admin);
  const port = await freePorts(2);
  const [pictures, sound] = await Promise.all([
    decoded(t, port, 'media=video,encoding-name=VP8,clock-rate=90000,payload=101',
      'rtpvp8depay ! vp8dec ! videoscale ! videoconvert ! video/x-raw,format=RGB,width=64,height=48', 30),
    decoded(t, port + 1, 'media=audio,encoding-name=OPUS,clock-rate=48000,payload=100',
      'rtpopusdepay ! opusdec ! audioconvert ! audio/x-raw,format=S16LE,channels=1', 100)]);
  await admin.ask({
    request: 'rtp_forward', publisher_id, host: '127.0.0.1',
    streams: [{ mid: '1', port, pt: 101 }, { mid: '0', port: port + 1, pt: 100 }],
  });
  const rgb = await pictures();
  const size = 64 * 48 * 3;
  const mean = (k) => { // of channel k in the last picture
    let sum = 0;
    for (let i = rgb.length - size + k; i < rgb.length; i += 3) sum += rgb[i];
    return sum / (64 * 48);
  };
  assert.ok(rgb.length >= 29 * size, `${rgb.length / size} pictures`);
  assert.ok(mean(0) > 120 && mean(1) < 110 && mean(2) < 110, `red: ${[0, 1, 2].map(mean)}`);
  assert.notDeepEqual(rgb.subarray(0, size), rgb.subarray(-size), 'the picture moves');
  const pcm = await sound();
  let peak = 0;
  for (let i = 0; i + 1 < pcm.length; i += 2) peak = Math.max(peak, Math.abs(pcm.readInt16LE(i)));
  assert.ok(peak > 1000, `a beep of the browser's microphone: ${peak}`);
});
