// Who leaves without a word: a closed tab, a killed browser, a lost socket.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';

const RECLAIM_S = 3;
const AT_ONCE_S = 15; // a quarter of what it takes where nothing is told
const conf = { general: { reclaim_session_timeout: RECLAIM_S } };

async function stay(t, server) {
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(() => T.join('stay', { video: { colour: [30, 160, 30] } }));
  return page;
}

const sawLeaving = (page, id, seconds) =>
  page.waitFor((who) => T.state('stay').events.some((e) => e.leaving === who), id, seconds);

for (const [transport, kind] of [['http', 'chromium'], ['ws', 'chromium']]) {
  test(`a closed tab frees its place at once (${transport})`, { variants: [[kind, 'lite']] }, async (t) => {
    const server = await t.server({ general: { reclaim_session_timeout: 60 } });
    const page = await stay(t, server);
    const other = await t.client();
    await other.evaluate((url) => T.connect(url), server[transport]);
    await other.evaluate(() => T.join('gone', { video: { colour: [200, 30, 30] } }));
    await page.evaluate(() => T.seesOthers('stay', 1));
    const id = await other.evaluate(() => T.state('gone').id);
    // janus.js says nothing over WebSocket when a page goes; sluice.js and these pages do.
    if (transport === 'ws') await other.evaluate((url) => T.beaconOnPagehide(url), server.http);
    await other.goto('about:blank');
    await sawLeaving(page, id, AT_ONCE_S);
  });
}

test('a killed browser frees its place within the reclaim time and 2 s', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server(conf);
  const page = await stay(t, server);
  const own = await t.ownBrowser('chromium');
  const other = await t.client(own);
  await other.evaluate((url) => T.connect(url), server.ws);
  await other.evaluate(() => T.join('gone', { video: { colour: [200, 30, 30] } }));
  await page.evaluate(() => T.seesOthers('stay', 1));
  const id = await other.evaluate(() => T.state('gone').id);
  other.closed = true;
  process.kill(own.pid, 'SIGKILL');
  const t0 = Date.now();
  await sawLeaving(page, id, RECLAIM_S + 2 * 3);
  const ms = Date.now() - t0;
  assert.ok(ms > (RECLAIM_S - 1) * 1000, `the place was kept for a claim (${ms} ms)`);
  t.note(`freed after ${(ms / 1000).toFixed(1)} s with a reclaim time of ${RECLAIM_S} s`);
});

test('a lost socket: claim, while media goes on', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server({ general: { reclaim_session_timeout: 10 } });
  const page = await stay(t, server);
  const other = await t.client();
  await other.evaluate(() => T.rememberSockets());
  await other.evaluate((url) => T.connect(url), server.ws);
  await other.evaluate(() => T.join('other', { video: { colour: [200, 30, 30] } }));
  await other.evaluate(() => T.seesOthers('other', 1));
  await other.evaluate(() => T.breakSocket());
  await other.waitFor(() => T.lost);
  await other.evaluate(() => T.reconnect());
  const [seen] = await other.evaluate(() => T.seesOthers('other', 1));
  assert.ok(seen.frames > 0);
  const done = await other.evaluate(() => T.ask('other', { request: 'configure', display: 'back' }, (e) => e.configured));
  assert.equal(done.configured, 'ok');
  await page.waitFor(() => T.state('stay').events.some((e) => e.display === 'back'));
  assert.ok(!(await page.evaluate(() => T.state('stay'))).events.some((e) => e.leaving !== undefined));
});

test('leaving is told in the order unpublished, leaving', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server(conf);
  const page = await stay(t, server);
  const other = await t.client();
  await other.evaluate((url) => T.connect(url), server.ws);
  await other.evaluate(() => T.join('gone', { video: { colour: [200, 30, 30] } }));
  await page.evaluate(() => T.seesOthers('stay', 1));
  const id = await other.evaluate(() => T.state('gone').id);
  await other.evaluate(() => T.detach('gone'));
  await sawLeaving(page, id, 30);
  const told = (await page.evaluate(() => T.state('stay'))).events
    .filter((e) => e.unpublished === id || e.leaving === id)
    .map((e) => (e.leaving ? 'leaving' : 'unpublished'));
  assert.deepEqual(told, ['unpublished', 'leaving']);
});
