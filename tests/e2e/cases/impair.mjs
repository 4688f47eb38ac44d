// Real browsers on a bad network: what a subscriber sees when its link is thin, loses packets or
// delivers them late (tests/impair). Times may be three times what docs/quality.md wishes; what was
// measured is noted.

import assert from 'node:assert/strict';
import { link } from '../lib/link.mjs';
import { createRoom } from '../lib/rooms.mjs';
import { test } from '../lib/runner.mjs';
import { sleep } from '../lib/until.mjs';

// A machine that encodes and decodes beside other work:
const BUSY = 3;
const MACHINE_FROZEN = 0.2; // of the time, without any loss

// Chromium encodes three layers from this size on.
const WIDTH = 960;
const PICTURE = { colour: [30, 160, 30], width: WIDTH, height: 540, fps: 25, noise: 150 };
const LAYERS = [
  { rid: 'h', maxBitrate: 1500000 },
  { rid: 'm', maxBitrate: 350000, scaleResolutionDownBy: 2 },
  { rid: 'l', maxBitrate: 120000, scaleResolutionDownBy: 4 },
];
const RAMPED = 1000000; // bit/s: more than a thin link carries, without upper temporal layers too
const SINGLE = { ...PICTURE, width: 640, height: 360, noise: 60 };

const DSL = 'rate=2500k queue=300ms delay=20ms';
const THIN = 'down rate=600k';
const WHOLE = 'down rate=2500k';

// Somebody publishes beside the server, and the browser under test watches from beyond the link.
class Call {
  static async begin(t, video, conditions) {
    const c = new Call();
    await link.reset();
    c.server = await t.server({ general: { workers: 1 } }, {}, true);
    c.far = await t.farClient();
    c.page = await t.client();
    const room = await createRoom(c.server, { videocodec: 'vp8' });
    for (const page of [c.far, c.page]) await page.evaluate((url) => T.connect(url), c.server.ws);
    const feed = await c.far.evaluate(([r, v]) => T.join('pub', { room: r, watch: false, video: v }), [room, video]);
    await c.far.evaluate(() => T.keepSize('pub'));
    for (const line of conditions) await link.set(line);
    await c.page.evaluate(([f, r]) => T.watchOnly('sub', { feed: f }, { room: r }), [feed, room]);
    await c.page.waitFor(() => T.midsOf('sub').length && T.state('sub').up, undefined, 20);
    [c.video] = await c.page.evaluate(() => T.midsOf('sub'));
    [c.audio] = await c.page.evaluate(() => T.midsOf('sub', undefined, 'audio'));
    await c.page.evaluate((m) => T.watchFrames('sub', m), c.video);
    return c;
  }

  // Milliseconds until the picture is @width wide.
  async becomes(width, ms) {
    const from = performance.now();
    await this.page.evaluate(([m, w, l]) => T.widthBecomes('sub', m, w, l), [this.video, width, ms]);
    return performance.now() - from;
  }

  // The top layer is as large as it gets: encoders begin with less, and busy ones for long.
  async isRamped() {
    const bytes = () => this.far.evaluate(async () => (await T.sending('pub')).find((s) => s.rid === 'h').bytes);
    for (let i = 0, before = await bytes(); i < 30; i++) {
      await sleep(1000);
      const now = await bytes();
      if (8 * (now - before) > RAMPED) return;
      before = now;
    }
    throw new Error('the publisher does not send what it may');
  }

  now() {
    return this.page.evaluate(() => performance.now());
  }

  // How long after @from (now()) frames were @width wide.
  keeps(width, from) {
    return this.page.evaluate(([m, w, f]) => T.framesOf('sub', m).findLast((x) => x.width === w).at - f, [this.video, width, from]);
  }

  async #snapshot() {
    const [video, audio] = await this.page.evaluate(
      ([v, a]) => Promise.all([T.receiving('sub', v), T.receiving('sub', a)]), [this.video, this.audio]);
    const sent = await this.far.evaluate(() => T.sending('pub'));
    return { video, audio, sent: Math.max(...sent.map((s) => s.sent)) };
  }

  // What comes within @ms from now on.
  async watch(ms) {
    const from = await this.now();
    await link.stats();
    const before = await this.#snapshot();
    await sleep(ms);
    const after = await this.#snapshot();
    const { down } = await link.stats();
    const seconds = (await this.now() - from) / 1000;
    const video = (k) => after.video[k] - before.video[k];
    const audio = (k) => after.audio[k] - before.audio[k];
    const { shown, gap, width } = await this.page.evaluate(([m, f]) => T.shownSince('sub', m, f), [this.video, from]);
    return {
      seconds,
      width,
      gap,
      fps: shown / seconds,
      frozen: video('totalFreezesDuration') / seconds,
      decoded: video('framesDecoded'),
      sent: after.sent - before.sent,
      kbps: (8 * video('bytesReceived')) / seconds / 1000,
      concealed: audio('concealedSamples') / audio('totalSamplesReceived'),
      energy: audio('totalAudioEnergy'),
      waits: (1000 * video('jitterBufferDelay')) / video('jitterBufferEmittedCount'),
      queueMs: Object.values(down.queue_us).map((us) => Math.round(us / 1000)),
    };
  }
}

const percent = (x) => `${(100 * x).toFixed(1)} %`;
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const describe = (r) =>
  `${r.width} wide, ${r.fps.toFixed(0)} frames/s (${r.decoded} of ${r.sent} sent), ${r.kbps.toFixed(0)} kbit/s, frozen ${percent(r.frozen)}, ` +
  `longest gap ${r.gap.toFixed(0)} ms, sound concealed ${percent(r.concealed)}, queue p50/p95 ${r.queueMs.join('/')} ms, buffered ${r.waits.toFixed(0)} ms`;

const onLink = { link: true, variants: [['chromium', 'lite']] };

test('a link that becomes thin', onLink, async (t) => {
  const call = await Call.begin(t, { ...PICTURE, encodings: LAYERS }, [`both ${DSL}`]);
  await call.becomes(WIDTH, 30000);
  await call.isRamped();

  await link.set(THIN);
  const from = await call.now();
  await sleep(3000);
  const thin = await call.watch(10000);
  t.note(`600 kbit/s: smaller after ${seconds(await call.keeps(WIDTH, from))}`);
  t.note(`after 3 s: ${describe(thin)}`);
  assert.ok(thin.width < WIDTH && thin.gap < 1000 * BUSY, 'a smaller picture goes on');
  assert.ok(thin.decoded >= 0.5 * thin.sent, 'with most of its frames');

  await link.set(WHOLE);
  t.note(`whole again ${seconds(await call.becomes(WIDTH, 10000 * BUSY))} after the link was`);
});

test('a link that loses packets', onLink, async (t) => {
  const call = await Call.begin(t, { ...SINGLE, encodings: [{ maxBitrate: 600000 }] }, [`both ${DSL} loss=5%`]);
  await call.becomes(SINGLE.width, 30000);
  await sleep(2000);
  const r = await call.watch(12000);
  t.note(`5 % lost each way: ${describe(r)}`);
  assert.ok(r.decoded >= 0.95 * r.sent, 'frames are repaired');
  assert.ok(r.frozen < 0.01 + MACHINE_FROZEN, 'in time');
});

test('the top layer by request through a thin link', onLink, async (t) => {
  const call = await Call.begin(t, { ...PICTURE, encodings: LAYERS }, [`both ${DSL}`, THIN]);
  await call.isRamped();
  await call.becomes(WIDTH / 2, 30000);
  await call.page.evaluate((m) => T.ask('sub', { request: 'configure', streams: [{ mid: m, substream: 2, temporal: 2 }] },
    (e) => e.configured === 'ok'), call.video);
  const r = await call.watch(10000);
  t.note(`600 kbit/s, all asked for: ${describe(r)}`);
  assert.ok(r.decoded > 0 && r.width < WIDTH, 'the picture is smaller');
  assert.ok(r.energy > 0 && r.concealed < 0.1, 'the sound goes on');
});

// What each kind of network leaves of a call; the table of docs/quality.md.
const NETWORKS = {
  'whole': [],
  '100 ms +/- 30 ms': ['both delay=70ms jitter=60ms'],
  '500 kbit/s': ['down rate=500k'],
  '1.5 Mbit/s': ['down rate=1500k'],
  '5 % lost': ['both loss=5%'],
};

for (const [name, lines] of Object.entries(NETWORKS)) {
  test(`networks: ${name}`, { link: true, tags: ['long'], timeout: 120 }, async (t) => {
    const call = await Call.begin(t, { ...PICTURE, encodings: LAYERS }, [`both ${DSL}`, ...lines]);
    await sleep(8000);
    const r = await call.watch(15000);
    t.note(describe(r));
    assert.ok(r.decoded > 0 && r.concealed < 0.1);
  });
}
