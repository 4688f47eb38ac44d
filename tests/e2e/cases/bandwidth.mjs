// A subscriber behind a thin path gets what it carries, without asking, and the rest when it can.

import assert from 'node:assert/strict';
import { LossyPath } from '../lib/lossy.mjs';
import { createRoom, publishAndWatch } from '../lib/rooms.mjs';
import { test } from '../lib/runner.mjs';

// Chromium encodes three layers from this size on.
const PICTURE = { colour: [30, 160, 30], width: 960, height: 540, fps: 15, noise: 200 };
const ENCODINGS = [
  { rid: 'h', maxBitrate: 1500000 },
  { rid: 'm', maxBitrate: 350000, scaleResolutionDownBy: 2 },
  { rid: 'l', maxBitrate: 120000, scaleResolutionDownBy: 4 },
];
const THIN = { bps: 400000, queueMs: 300 };

test('a thin path gets a smaller picture', { browsers: ['chromium'], variants: [['chromium', 'lite']], timeout: 120 }, async (t) => {
  const server = await t.server({ general: { workers: 1 } });
  const path = new LossyPath();
  t.onClose(() => path.stop());
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  const room = await createRoom(server, { videocodec: 'vp8' });
  const who = await publishAndWatch(page, room, {
    audio: false, video: { ...PICTURE, encodings: ENCODINGS }, port: await path.portFor(server.mediaPort),
  });
  const become = (width, ms) => page.evaluate(([n, m, w, l]) => T.widthBecomes(n, m, w, l), [who.sub, who.video, width, ms]);
  const encoded = async () => (await page.evaluate((n) => T.sending(n), who.pub)).map((s) => s.frames);
  // What was encoded and shown during @ms.
  const watch = async (ms) => {
    const before = await encoded();
    const from = await page.evaluate(() => performance.now());
    await page.evaluate((l) => T.sleep(l), ms);
    const sent = Math.min(...(await encoded()).map((n, i) => n - before[i]));
    return { sent, ...await page.evaluate(([n, m, f]) => T.shownSince(n, m, f), [who.sub, who.video, from]) };
  };
  await page.evaluate((n) => T.keepSize(n), who.pub);
  await page.evaluate(([n, m]) => T.watchFrames(n, m), [who.sub, who.video]);
  await become(960, 20000);

  path.down = THIN;
  let from = Date.now();
  await page.evaluate(([n, m]) => T.widthLeaves(n, m, 960, 5000), [who.sub, who.video]);
  t.note(`at ${THIN.bps / 1000} kbit/s: smaller after ${Date.now() - from} ms`);
  await page.evaluate(() => T.sleep(6000));
  const { sent, shown, gap } = await watch(7000);
  t.note(`then ${shown} frames of ${sent}, longest gap ${gap.toFixed(0)} ms`);
  assert.ok(shown > sent / 3); // it may be the size above without its upper temporal layer
  assert.ok(gap < 2000);

  path.down = undefined;
  from = Date.now();
  await become(960, 20000);
  t.note(`whole again ${Date.now() - from} ms after the path was`);
});
