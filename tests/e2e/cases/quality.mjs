// What is sent follows what is shown: on the conference page, and by hand.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';

const NOISE = 3; // tests run on noisy machines: three times what is asked for
const others = '.tile[data-feed]:not(.self)';

async function join(t, server, name) {
  const page = await t.page('chromium', `${server.pages}/conference.html?name=${name}&autojoin=1&simulcast=1`);
  await page.waitFor(() => document.querySelector('#state').dataset.state === 'connected', undefined, 20);
  return page;
}

// The other's tile; 0: not displayed.
const resize = (page, width) => page.evaluate(([s, w]) => {
  const { style } = document.querySelector(s);
  for (const [name, value] of [['width', `${w}px`], ['height', `${w * 9 / 16}px`], ['flex', 'none'], ['max-width', 'none']])
    style.setProperty(name, value, 'important');
  style.display = w ? '' : 'none';
}, [others, width]);

// How many ms until the picture is @width wide.
async function becomes(page, width, seconds) {
  const from = Date.now();
  await page.waitFor(([s, w]) => document.querySelector(s).querySelector('video').videoWidth === w, [others, width], seconds);
  return Date.now() - from;
}

const received = (page) => page.evaluate(async () => {
  const { transceiver } = window.sluice.room.subscriber.tracks.find((l) => l.kind === 'video');
  for (const s of (await transceiver.receiver.getStats()).values())
    if (s.type === 'inbound-rtp') return s.bytesReceived;
});

const sleep = (page, ms) => page.evaluate((l) => new Promise((r) => setTimeout(r, l)), ms);

test('conference page: no larger picture than is shown, none for what is hidden', { variants: [['chromium', 'lite']], timeout: 90 }, async (t) => {
  const server = await t.server();
  const bob = await join(t, server, 'Bob');
  await bob.evaluate(() => {
    const quality = document.querySelector('#quality');
    quality.value = '1280x720';
    quality.dispatchEvent(new Event('change'));
  });
  const alice = await join(t, server, 'Alice');
  await alice.evaluate(() => {
    window.told = [];
    window.sluice.room.on('quality', (q) => window.told.push(q));
  });
  await alice.waitFor((s) => document.querySelector(s)?.querySelector('video').videoWidth > 0, others, 20);
  await resize(alice, 1280);
  await becomes(alice, 1280, 30);

  await resize(alice, 300);
  const smaller = await becomes(alice, 320, 2 * NOISE);
  await alice.waitFor(() => window.told.some((q) => q.verdict === 'request' && q.reason === 'size' && q.substream === 0), undefined, 5);
  await resize(alice, 620);
  t.note(`shrunk: smaller after ${smaller} ms; half of it back: ${await becomes(alice, 640, 15)} ms`);

  await resize(alice, 0);
  await sleep(alice, 3000);
  const before = await received(alice);
  await sleep(alice, 2000);
  assert.equal(await received(alice), before, 'hidden: nothing comes');
  assert.ok(await alice.evaluate(() => window.told.some((q) => q.reason === 'hidden')));

  const back = await alice.evaluate(([s]) => {
    const tile = document.querySelector(s);
    const from = performance.now();
    return new Promise((resolve) => {
      tile.querySelector('video').requestVideoFrameCallback(() => resolve(performance.now() - from));
      tile.style.display = '';
      tile.style.setProperty('width', '620px', 'important');
      tile.style.setProperty('height', '349px', 'important');
    });
  }, [others]);
  t.note(`shown again: a picture after ${back.toFixed(0)} ms`);
  assert.ok(back < 700 * NOISE);
});
