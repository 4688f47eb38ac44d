// Each codec in a room that is for it: frames are decoded and differ, sound can be heard, and the
// subscriber's statistics name the codec.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';
import { createRoom, leave, median, publishAndWatch } from '../lib/rooms.mjs';

const NOISE = 3; // tests run on noisy machines: three times what is asked for
const SYNC_MS = 30;

const ROUNDS = [
  { video: 'vp8', audio: 'opus' },
  { video: 'vp9', audio: 'pcmu' },
  { video: 'h264', audio: 'pcma' },
  { video: 'av1', audio: 'g722' },
  { video: 'vp8', audio: 'red' },
];

async function isRedundant(page, who) {
  const number = await page.evaluate((n) => T.numberOf(n, 'red'), who.sub);
  assert.ok(number !== null);
  await page.waitFor((pt) => T.payloadTypes().includes(pt), number);
}

test('each codec', { variants: [['chromium', 'lite'], ['firefox', 'lite']] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  for (const { video, audio } of ROUNDS) {
    const missing = [];
    for (const [kind, codec] of [['video', video], ['audio', audio]])
      if (!(await page.evaluate(([k, c]) => T.canSend(k, c), [kind, codec]))) missing.push(codec);
    for (const codec of missing) t.note(`${codec}: this browser sends none`);
    const options = { video: missing.includes(video) ? false : { colour: [30, 30, 200] }, audio: !missing.includes(audio) };
    if (!options.video && !options.audio) continue;
    if (audio === 'red') await page.evaluate(() => T.transformAll({}));
    const room = await createRoom(server, { videocodec: video, audiocodec: audio });
    const who = await publishAndWatch(page, room, options);
    const heard = [];
    if (options.video) {
      const seen = await page.evaluate(([n, m]) => T.seesMotion(n, m), [who.sub, who.video]);
      assert.ok(seen.colour[2] > 130 && seen.colour[0] < 90, `${video}: looks like ${seen.colour}`);
      const codec = await page.evaluate(([n, m]) => T.codecOf(n, m), [who.sub, who.video]);
      assert.equal(codec.toLowerCase(), video);
      heard.push(codec);
    }
    if (options.audio) {
      await page.evaluate(([n, m]) => T.hearsSomething(n, m), [who.sub, who.audio]);
      const codec = await page.evaluate(([n, m]) => T.codecOf(n, m), [who.sub, who.audio]);
      // Statistics name what is inside of redundant audio.
      assert.equal(codec.toLowerCase(), audio === 'red' ? 'opus' : audio);
      heard.push(codec);
      if (audio === 'red') await isRedundant(page, who);
    }
    t.note(`decoded: ${heard.join(', ')}`);
    await leave(page, who);
  }
});

test('multiopus: six channels', { variants: [['chromium', 'lite']], browsers: ['chromium'] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  const room = await createRoom(server, { audiocodec: 'multiopus' });
  await page.evaluate((r) => T.join('p', { room: r, publish: false, watch: false }), room);
  const done = await page.evaluate(async () =>
    T.ask('p', { request: 'publish' }, (e) => e.configured, await T.offerSurround('p')));
  assert.equal(done.audio_codec, 'multiopus');
  await page.waitFor(() => T.state('p').up);
  const { id } = await page.evaluate(() => T.state('p'));
  await page.evaluate(async ([r, feed]) => {
    await T.attach('s', 'janus.plugin.videoroom');
    await T.ask('s', { request: 'join', ptype: 'subscriber', room: r, streams: [{ feed }] }, (e) => e.videoroom === 'attached');
  }, [room, id]);
  const { sdp } = await page.evaluate(() => T.lastJsep('s'));
  assert.ok(sdp.includes(await page.evaluate(() => T.SURROUND)), `what decoders need to know is offered: ${sdp}`);
  await page.evaluate(async () =>
    T.ask('s', { request: 'start' }, (e) => e.started, await T.answerSurround('s', T.lastJsep('s'))));
  await page.evaluate(() => T.hearsSomething('s', '0'));
  assert.equal(await page.evaluate(() => T.codecOf('s', '0')), 'multiopus');
});

// Frames are encrypted whole where the dependency descriptor tells key frames (browsers send it with
// a scalability mode), or but for the header of VP8, as pages do that do without.
const ENCRYPTED = [
  { codec: 'vp8', clear: true },
  { codec: 'vp8', clear: false, svc: 'L1T2' },
  { codec: 'vp9', clear: false, svc: 'L1T2' },
];

for (const { codec, clear, svc } of ENCRYPTED)
  test(`end to end encryption of ${codec}${clear ? ' behind its header' : ''}`, {
    variants: [['chromium', 'lite']], browsers: clear ? ['chromium', 'firefox'] : ['chromium'],
    tags: codec === 'vp9' ? ['long'] : [],
  }, async (t) => {
    const server = await t.server();
    const page = await t.client();
    await page.evaluate((url) => T.connect(url), server.ws);
    await page.evaluate((c) => T.transformAll({ key: 4711, clear: c }), clear);
    const room = await createRoom(server, { videocodec: codec, require_e2ee: true });
    const who = await publishAndWatch(page, room, { e2ee: true, video: { colour: [30, 30, 200], svc } });
    const seen = await page.evaluate(([n, m]) => T.seesMotion(n, m), [who.sub, who.video]);
    assert.ok(seen.colour[2] > 130 && seen.colour[0] < 90, `looks like ${seen.colour}`);
    await page.evaluate(([n, m]) => T.hearsSomething(n, m), [who.sub, who.audio]);
    assert.equal((await page.evaluate(([n, m]) => T.codecOf(n, m), [who.sub, who.video])).toLowerCase(), codec);

    // Who does not know the key does not see the picture.
    const other = await t.client();
    await other.evaluate((url) => T.connect(url), server.ws);
    await other.evaluate((c) => T.transformAll({ key: 4712, clear: c }), clear);
    const feed = await page.evaluate((n) => T.state(n).id, who.pub);
    await other.evaluate(([f, r]) => T.watchOnly('w', { feed: f }, { room: r }), [feed, room]);
    await other.waitFor(([m]) => T.received('w').then((all) => all[m]?.packets > 40), [who.video]);
    const noise = await other.evaluate((m) => T.look('w', m), who.video); // Firefox shows some
    assert.ok(!noise || noise.colour[2] < 130 || noise.colour[0] > 90, `the picture of others: ${noise?.colour}`);
  });

test('sound and picture are in step', { variants: [['chromium', 'lite']], browsers: ['chromium'], alone: true }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  const room = await createRoom(server, {});
  const who = await publishAndWatch(page, room, { video: 'camera' });
  await page.evaluate(([n, m]) => T.seesMotion(n, m), [who.sub, who.video]);
  // Both clocks are known from the second report of the publisher on.
  await page.waitFor(([n, a, v]) => T.skew(n, a, v).then((x) => x !== null), [who.sub, who.audio, who.video]);
  await page.evaluate(() => T.sleep(2000));
  const values = [];
  for (let i = 0; i < 15; i++) {
    values.push(await page.evaluate(([n, a, v]) => T.skew(n, a, v), [who.sub, who.audio, who.video]));
    await page.evaluate(() => T.sleep(100));
  }
  const middle = median(values.map((v) => v.ahead));
  const buffered = median(values.map((v) => v.buffered));
  t.note(`picture before sound: median ${middle.toFixed(1)} ms, of which the receiver's audio buffer is ${buffered.toFixed(1)} ms`);
  assert.ok(Math.abs(middle - buffered) <= SYNC_MS * NOISE); // that buffer grows with the load of the machine
});
