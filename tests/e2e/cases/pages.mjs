// The pages of html/, used as a person would. Screenshots are put beside the logs; look at them.

import assert from 'node:assert/strict';
import path from 'node:path';
import { WsClient } from '../lib/protocol.mjs';
import { test } from '../lib/runner.mjs';

const BOTH = [['chromium', 'lite'], ['firefox', 'lite']];

const AT_ONCE_S = 15; // a quarter of what it takes where nothing is told

const state = (page, wanted, seconds = 30) =>
  page.waitFor((s) => document.querySelector('#state').dataset.state === s, wanted, seconds);

// Until the video at @selector shows pictures that change. In front, since what is hidden is not sent.
// (Firefox counts no frames of tabs behind.)
async function plays(page, selector) {
  await page.front();
  await page.waitFor((s) => document.querySelector(s)?.videoWidth > 0, selector);
  const seen = new Set();
  const end = Date.now() + 30000;
  while (seen.size < 4) {
    assert.ok(Date.now() < end, `${selector} stands still`);
    seen.add(await page.evaluate((s) => {
      const context = new OffscreenCanvas(64, 48).getContext('2d');
      context.drawImage(document.querySelector(s), 0, 0, 64, 48);
      return context.getImageData(0, 0, 64, 48).data.reduce((h, v) => (h * 31 + v) | 0, 0);
    }, selector));
    await page.evaluate(() => new Promise((r) => setTimeout(r, 50)));
  }
}

const errors = (page) => page.log.filter((l) => /^(error|pageerror)/.test(l));

async function join(t, server, name, query = '') {
  const page = await t.page(undefined, `${server.pages}/conference.html${query}`);
  await page.fill('#name', name);
  await page.click('#join');
  await state(page, 'connected');
  return page;
}

const others = '.tile[data-feed]:not(.self)';

test('start page', { variants: BOTH }, async (t) => {
  const server = await t.server();
  const page = await t.page(undefined, `${server.pages}/`);
  await page.waitFor(() => document.querySelector('#plugins').children.length >= 2);
  assert.equal(await page.evaluate(() => document.title), 'Sluice');
  await page.screenshot(path.join(t.dir, 'start.png'));
  await page.click('#open-echo');
  await page.waitFor(() => location.pathname.endsWith('/echo.html'));
  assert.deepEqual(errors(page), []);
});

test('echo page', { variants: BOTH }, async (t) => {
  const server = await t.server();
  const page = await t.page(undefined, `${server.pages}/echo.html`);
  await page.click('#start');
  await state(page, 'connected');
  await plays(page, '#remote');
  await page.screenshot(path.join(t.dir, 'echo.png'));
  await page.click('#stop');
  await page.waitFor(() => !document.querySelector('#start').hidden);
  assert.deepEqual(errors(page), []);
});

test('conference page: join, mute, statistics, leave', { variants: BOTH }, async (t) => {
  const server = await t.server();
  const alice = await join(t, server, 'Alice');
  const bob = await join(t, server, 'Bob');
  await plays(alice, `${others} video`);
  await plays(bob, `${others} video`);
  assert.match(await alice.evaluate((s) => document.querySelector(s).querySelector('.name').textContent, others), /Bob$/);
  await alice.click('#stats');
  await alice.waitFor((s) => /\d/.test(document.querySelector(s).querySelector('.stats').textContent), others);
  await alice.screenshot(path.join(t.dir, 'two.png'));

  await bob.click('#cam');
  await alice.waitFor((s) => document.querySelector(s).classList.contains('dark'), others);
  await alice.screenshot(path.join(t.dir, 'dark.png'));
  await bob.click('#cam');
  await alice.waitFor((s) => !document.querySelector(s).classList.contains('dark'), others);
  await plays(alice, `${others} video`);
  await bob.click('#mic');
  assert.equal(await bob.evaluate(() => document.querySelector('#mic').getAttribute('aria-pressed')), 'false');

  await bob.click('#leave');
  await alice.waitFor((s) => !document.querySelector(s), others);
  await bob.waitFor(() => document.querySelector('#call').hidden && !document.querySelector('#lobby').hidden);
  await bob.screenshot(path.join(t.dir, 'left.png'));
  for (const page of [alice, bob]) assert.deepEqual(errors(page), []);
});

test('conference page: a slot for who speaks', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const bob = await join(t, server, 'Bob');
  const alice = await join(t, server, 'Alice', '?slots=1');
  await plays(alice, `${others} video`);
  await bob.click('#leave');
  await alice.waitFor((s) => !document.querySelector(s), others);
  const back = await join(t, server, 'Bob');
  await plays(alice, `${others} video`);
  for (const page of [alice, back]) assert.deepEqual(errors(page), []);
});

test('conference page: a closed tab is gone at once', { variants: BOTH }, async (t) => {
  const server = await t.server({ general: { reclaim_session_timeout: 60 } });
  const alice = await join(t, server, 'Alice');
  const bob = await join(t, server, 'Bob');
  await plays(alice, `${others} video`);
  // Closed by remote control, Firefox ends the tab's process without sending what pagehide said (4 of
  // 10 times); leaving for another page runs the same handlers.
  if (bob.kind === 'firefox') await bob.goto('about:blank');
  else await bob.close();
  await alice.waitFor((s) => !document.querySelector(s), others, AT_ONCE_S);
});

// A page whose devices do as window.devices says: 'late' (until window.ready()), 'denied', or 'no camera'.
async function withDevices(t, url) {
  const page = await t.page('chromium');
  await page.native.addInitScript(() => {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      if (window.devices === 'late') await new Promise((resolve) => { window.ready = resolve; });
      if (window.devices === 'denied') throw new DOMException('', 'NotAllowedError');
      if (window.devices === 'no camera' && wanted.video) throw new DOMException('', 'NotFoundError');
      return real(wanted);
    };
  });
  await page.goto(url);
  return page;
}

const devices = (page, what) => page.evaluate((w) => { window.devices = w; }, what);
const says = (page, words) => page.waitFor((w) => {
  const error = document.querySelector('#error');
  return !error.hidden && error.textContent.includes(w);
}, words);

test('conference page: what is in the way is said', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const ws = await WsClient.open(server.ws);
  const session = await ws.create();
  const handle = await ws.attach(session, 'janus.plugin.videoroom');
  const room = 4503599627370001; // as long as random ones are, and not in the list
  const ask = (body) => ws.message(session, handle, { room, ...body });
  assert.equal((await ask({ request: 'create', is_private: true })).room, room);
  const alice = await withDevices(t, `${server.pages}/conference.html?name=Alice&audio=0&room=${room}`);
  await alice.click('#join');
  await state(alice, 'connected', 20);
  await devices(alice, 'denied');
  await alice.click('#mic');
  await says(alice, 'not allowed');

  const [{ id }] = (await ask({ request: 'listparticipants' })).participants;
  const mid = await alice.evaluate(() => window.sluice.publisher.transceiver('video').mid);
  assert.equal((await ask({ request: 'moderate', id, mid, mute: true })).videoroom, 'success');
  await says(alice, 'moderator switched your camera off');
  assert.equal((await ask({ request: 'moderate', id, mid, mute: false })).videoroom, 'success');
  await alice.waitFor(() => document.querySelector('#error').hidden);
  await ws.close();
});

test('conference page: who leaves before the camera is there leaves it off', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const bob = await withDevices(t, `${server.pages}/conference.html?name=Bob`);
  await devices(bob, 'late');
  await bob.click('#join');
  await bob.waitFor(() => !document.querySelector('#call').hidden);
  await bob.click('#leave');
  await bob.evaluate(() => { window.devices = ''; window.ready(); });
  await bob.waitFor(() => !document.querySelector('#join').disabled);
  assert.equal(await bob.evaluate(() => window.sluice.stream.getTracks().length), 0);
  assert.equal(await bob.evaluate(() => document.querySelector('#lobby-error').hidden), true);

  await bob.click('#lobby-devices'); // asks for them: before that they have no names
  await bob.waitFor(() => /fake/i.test(document.querySelector('#camera').selectedOptions[0]?.label));
  assert.deepEqual(errors(bob), []);
});

test('echo page without a camera', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const page = await withDevices(t, `${server.pages}/echo.html`);
  await devices(page, 'no camera');
  await page.click('#start');
  await state(page, 'connected');
  assert.deepEqual(await page.evaluate(() => window.sluice.stream.getTracks().map((track) => track.kind)), ['audio']);
  await page.click('#stop');
  await page.waitFor(() => !document.querySelector('#start').hidden);
});

test('conference page: over long poll', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const alice = await join(t, server, 'Alice', '?transport=longpoll');
  const bob = await join(t, server, 'Bob', '?transport=longpoll');
  await plays(alice, `${others} video`);
  await plays(bob, `${others} video`);
});

test('conference page: a lost socket is no end', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const alice = await t.page('chromium');
  await alice.native.addInitScript(() => {
    const Native = window.WebSocket;
    window.sockets = [];
    window.WebSocket = class extends Native {
      constructor(...args) {
        super(...args);
        window.sockets.push(this);
      }
    };
  });
  await alice.goto(`${server.pages}/conference.html?name=Alice&autojoin=1`);
  await state(alice, 'connected');
  const bob = await join(t, server, 'Bob');
  await plays(alice, `${others} video`);
  await alice.evaluate(() => window.sockets.at(-1).close());
  await alice.waitFor(() => window.sockets.length === 2 && window.sockets[1].readyState === 1);
  await state(alice, 'connected');
  await plays(alice, `${others} video`);
  await plays(bob, `${others} video`);
  assert.equal(await bob.evaluate((s) => document.querySelectorAll(s).length, others), 1);
});

test('conference page: the end of the server is told', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const alice = await join(t, server, 'Alice');
  await server.stop();
  await state(alice, 'failed', 60);
  const text = await alice.evaluate(() => document.querySelector('#error').textContent.trim());
  assert.ok(text.length > 10, 'an error that says something');
  await alice.screenshot(path.join(t.dir, 'failed.png'));
});
