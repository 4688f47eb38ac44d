// What is sent follows what is shown: on the conference page, and by hand.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';

const NOISE = 3; // tests run on noisy machines: three times what is asked for
const others = '.tile[data-feed]:not(.self)';

async function join(t, server, name) {
  const page = await t.page('chromium', `${server.pages}/conference.html?name=${name}&autojoin=1`);
  await page.waitFor(() => document.querySelector('#state').dataset.state === 'connected');
  return page;
}

// 1280x720, also where the machine is too busy for it: browsers would send something smaller then.
const large = (page) => page.evaluate(async () => {
  const { sender } = window.sluice.publisher.transceiver('video');
  const params = sender.getParameters();
  params.degradationPreference = 'maintain-resolution';
  await sender.setParameters(params);
  const quality = document.querySelector('#quality');
  quality.value = '1280x720';
  quality.dispatchEvent(new Event('change'));
});

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

test('conference page: no larger picture than is shown, none for what is hidden', { variants: [['chromium', 'lite']], alone: true }, async (t) => {
  const server = await t.server();
  const bob = await join(t, server, 'Bob');
  await large(bob);
  const alice = await join(t, server, 'Alice');
  await alice.evaluate(() => {
    window.told = [];
    window.sluice.room.on('quality', (q) => window.told.push(q));
  });
  await alice.waitFor((s) => document.querySelector(s)?.querySelector('video').videoWidth > 0, others);
  await resize(alice, 1280);
  await becomes(alice, 1280, 30);

  await resize(alice, 300);
  const smaller = await becomes(alice, 320, 2 * NOISE);
  await alice.waitFor(() => window.told.some((q) => q.verdict === 'request' && q.reason === 'size' && q.substream === 0));
  await alice.click('#stats');
  await alice.waitFor((s) => /the size here/.test(document.querySelector(s).querySelector('.stats').textContent), others);
  await resize(alice, 620);
  t.note(`shrunk: smaller after ${smaller} ms; half of it back: ${await becomes(alice, 640, 15)} ms`);

  await resize(alice, 0);
  for (let before = -1, now = 0, from = Date.now(); now !== before; ) {
    assert.ok(Date.now() - from < 20000, 'hidden: nothing comes');
    before = await received(alice);
    await sleep(alice, 1000);
    now = await received(alice);
  }
  await alice.waitFor(() => window.told.some((q) => q.reason === 'hidden'));

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

// What is sent of video in a while: kbit/s.
async function uplink(page, ms) {
  const count = () => page.evaluate(async () => {
    let bytes = 0;
    for (const s of (await window.sluice.publisher.peer.pc.getStats()).values())
      if (s.type === 'outbound-rtp' && s.kind === 'video') bytes += s.bytesSent;
    return bytes;
  });
  const before = await count();
  const from = Date.now();
  await sleep(page, ms);
  return (await count() - before) * 8 / (Date.now() - from);
}

const active = (page) => page.evaluate(() =>
  window.sluice.publisher.transceiver('video').sender.getParameters().encodings.map((e) => e.active));

test('conference page: layers that nobody watches are not sent', { variants: [['chromium', 'lite']], alone: true }, async (t) => {
  const server = await t.server();
  const bob = await join(t, server, 'Bob');
  await large(bob);
  const alice = await join(t, server, 'Alice');
  await alice.waitFor((s) => document.querySelector(s)?.querySelector('video').videoWidth > 0, others);
  await resize(alice, 1280);
  await becomes(alice, 1280, 30);
  await sleep(alice, 2000);
  const full = await uplink(bob, 3000);
  assert.deepEqual(await active(bob), [true, true, true]);

  await resize(alice, 160);
  let from = Date.now();
  while ((await active(bob)).join() !== 'false,false,true') {
    assert.ok(Date.now() - from < 10000 * NOISE);
    await sleep(alice, 100);
  }
  const ms = Date.now() - from;
  await becomes(alice, 320, 30);
  const thumbnail = await uplink(bob, 3000);
  t.note(`Bob sends ${full.toFixed(0)} kbit/s to a full viewer, ${thumbnail.toFixed(0)} to a thumbnail, from ${ms} ms on`);
  assert.ok(thumbnail < 0.4 * full);

  await resize(alice, 1280);
  t.note(`large again after ${await becomes(alice, 1280, 10 * NOISE)} ms`);
  assert.deepEqual(await active(bob), [true, true, true]);
});
