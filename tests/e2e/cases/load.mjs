// A worker that is short of time sends smaller pictures, and says so.

import assert from 'node:assert/strict';
import { createRoom } from '../lib/rooms.mjs';
import { test } from '../lib/runner.mjs';

// Chromium encodes three layers from this size on.
const PICTURE = { colour: [30, 160, 30], width: 960, height: 540, fps: 15, noise: 100 };
const ENCODINGS = [
  { rid: 'h', maxBitrate: 900000 },
  { rid: 'm', maxBitrate: 300000, scaleResolutionDownBy: 2 },
  { rid: 'l', maxBitrate: 100000, scaleResolutionDownBy: 4 },
];

test('a busy server sends smaller pictures', { browsers: ['chromium'], variants: [['chromium', 'lite']], tags: ['long'], alone: true }, async (t) => {
  // Busy is what takes a thousandth of a core: all work is.
  const server = await t.server({ general: { workers: 1 }, media: { busy_limit: 1 } });
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  const room = await createRoom(server, { videocodec: 'vp8' });
  const feed = await page.evaluate(([n, o]) => T.join(n, o),
    ['pub', { room, watch: false, audio: false, video: { ...PICTURE, encodings: ENCODINGS } }]);
  await page.evaluate((n) => T.keepSize(n), 'pub');
  await page.evaluate(([f, r]) => T.watchOnly('sub', { feed: f }, { room: r }), [feed, room]);
  await page.evaluate(() => T.ask('sub', { request: 'configure', quality: true }, (e) => e.configured === 'ok'));
  const told = await page.waitFor(() => T.state('sub').events.filter((e) => e.quality?.reason === 'load').at(-1)?.quality, undefined, 25);
  assert.equal(told.verdict, 'server');
  await page.waitFor(() => T.state('sub').events.filter((e) => e.substream !== undefined).at(-1)?.substream === 0, undefined, 25);
  await page.evaluate(() => T.seesMotion('sub', '0')); // the lowest layer goes on
});
