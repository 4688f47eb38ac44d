// Who joins a running room sees a picture at once, and the publisher is asked for few key frames.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { buildDir } from '../lib/paths.mjs';
import { test } from '../lib/runner.mjs';
import { createRoom, median, publishAndWatch } from '../lib/rooms.mjs';

const JOINS = 10;
const APART_MS = 400;
const FIRST_FRAME_MS = 600;
const NOISE = 3; // a machine that encodes and decodes beside other work

// How long each of @JOINS new subscribers waited for its first frame; what came later, and what it cost.
async function joins(t, conf) {
  const server = await t.server(conf);
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  const room = await createRoom(server, { videocodec: 'vp8' });
  const who = await publishAndWatch(page, room, { audio: false, video: { colour: [30, 160, 30], width: 640, height: 360, fps: 30 } });
  await page.evaluate((n) => T.keepSize(n), who.pub);
  await page.evaluate(() => T.sleep(2000));
  const found = await page.evaluate(async ([sub, pub, n, apart, r]) => {
    const feed = T.state(sub).events.find((e) => e.streams)?.streams[0].feed_id;
    const asked = async () => [...(await T.pc(pub).getStats()).values()]
      .filter((s) => s.type === 'outbound-rtp').reduce((sum, s) => sum + (s.pliCount ?? 0) + (s.firCount ?? 0), 0);
    const video = async (name) => Object.values(await T.received(name)).find((s) => s.kind === 'video');
    const before = await asked();
    const frozen = (await video(sub)).freezes;
    const from = performance.now();
    const times = [];
    for (let i = 0; i < n; i++) {
      const t0 = performance.now();
      await T.watchOnly(`late${i}`, { feed }, { room: r });
      times.push((await T.firstShown(`late${i}`)) - t0);
      await T.sleep(Math.max(0, apart - (performance.now() - t0)));
    }
    const seconds = (performance.now() - from) / 1000;
    const keys = (await asked()) - before;
    await T.sleep(1000);
    const own = (await video(sub)).freezes - frozen; // the machine's: who was there before had them, too
    let freezes = 0;
    const delays = [];
    for (let i = 0; i < n; i++) {
      freezes += Math.max(0, (await video(`late${i}`)).freezes - own);
      const stats = [...(await T.pc(`late${i}`).getStats()).values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
      delays.push((1000 * stats.jitterBufferDelay) / stats.jitterBufferEmittedCount);
    }
    return { times, keys, seconds, freezes, delays };
  }, [who.sub, who.pub, JOINS, APART_MS, room]);
  await page.close(); // or what it decodes is what the next one measures
  return found;
}

test('joining a running room', { variants: [['chromium', 'lite']], alone: true }, async (t) => {
  const without = await joins(t, { media: { gop_ms: 0 } });
  const withGop = await joins(t, {});
  for (const [label, r] of [['without', without], ['with', withGop]])
    t.note(`${label} replay: first frame median ${median(r.times).toFixed(0)} ms, longest ${Math.max(...r.times).toFixed(0)} ms, ` +
      `${r.keys} key frames asked for in ${r.seconds.toFixed(1)} s, ${r.freezes} freezes, in the buffer ${median(r.delays).toFixed(0)} ms`);
  assert.ok(median(withGop.times) <= FIRST_FRAME_MS * NOISE, 'the first frame is soon');
  assert.ok(withGop.keys <= withGop.seconds + 1, 'one key frame per second at most');
  assert.ok(withGop.keys < without.keys, 'and fewer than without');
  assert.ok(withGop.freezes <= without.freezes + 1, 'the picture goes on');
});

const GUESTS = 200;
const GUESTS_S = 5;
const JUMP_MS = 1000;
const LOAD_ROOM = 4242; // where tests/load --guests looks for publisher 1000
const LOAD_FEED = 1000;

// Others who come to watch; what they found.
function guests(server) {
  const load = spawn(path.join(buildDir, 'tests/load/load'),
    ['instant', '--guests', '--viewers', GUESTS, '--seconds', GUESTS_S, '--url', `127.0.0.1:${server.wsPort}`, '--pid', server.pid]);
  let out = '';
  for (const stream of [load.stdout, load.stderr]) stream.on('data', (d) => (out += d));
  const done = new Promise((resolve) => load.on('close', (code) => {
    const { joined, first_key_ms_p95: keyMs } = JSON.parse(/^{.*}$/m.exec(out)?.[0] ?? '{}');
    resolve({ code, joined, keyMs: keyMs?.toFixed(0) });
  }));
  return { load, done };
}

test('a browser among two hundred who join', { variants: [['chromium', 'lite']], browsers: ['chromium'], alone: true }, async (t) => {
  const server = await t.server({ general: { workers: 1 } });
  const publisher = await t.client();
  await publisher.evaluate((url) => T.connect(url), server.ws);
  await createRoom(server, { videocodec: 'vp8' }, LOAD_ROOM);
  const video = { colour: [30, 160, 30], width: 640, height: 360, fps: 25, noise: 60, encodings: [{ maxBitrate: 500000 }] };
  await publisher.evaluate(([r, id, v]) => T.join('pub', { room: r, id, watch: false, video: v }), [LOAD_ROOM, LOAD_FEED, video]);
  await publisher.evaluate(() => T.keepSize('pub'));
  await publisher.evaluate(() => T.sleep(3000));
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  const { load, done } = guests(server);
  t.onClose(() => load.kill());
  await page.evaluate((s) => T.sleep(500 * s), GUESTS_S);
  const seen = await page.evaluate(async ([r, feed]) => {
    const t0 = performance.now();
    await T.watchOnly('sub', { feed }, { room: r });
    return T.shownFrom('sub', t0, 3000);
  }, [LOAD_ROOM, LOAD_FEED]);
  const { code, joined, keyMs } = await done;
  t.note(`first frame after ${seen.first.toFixed(0)} ms, then ${seen.fps.toFixed(0)} frames/s; longest wait for one ${seen.wait.toFixed(0)} ms, ` +
    `longest step in its time ${seen.step.toFixed(0)} ms; ${joined} others had a key frame after ${keyMs} ms (p95)`);
  assert.equal(code, 0);
  assert.equal(joined, GUESTS);
  assert.ok(seen.first <= FIRST_FRAME_MS * NOISE, 'the first frame is soon');
  assert.ok(seen.back === 0 && seen.step < JUMP_MS && seen.wait < JUMP_MS, 'and the picture goes on from there');
});
