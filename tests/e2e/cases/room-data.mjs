// VideoRoom's data streams through the unmodified janus.js: what a publisher says, text or binary,
// reaches every subscriber on a channel named after the publisher, beside its video.

import assert from 'node:assert/strict';
import { HttpClient } from '../lib/protocol.mjs';
import { test } from '../lib/runner.mjs';
import { until } from '../lib/until.mjs';

async function enter(t, server, name, options) {
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(([n, o]) => T.join(n, o), [name, options]);
  return page;
}

const publisher = { video: { colour: [200, 30, 30] }, data: true };
const heardAll = (page, name, n) =>
  page.waitFor(async ([who, count]) => (await T.heard(who)).n >= count, [name, n]);

// A publisher and two who watch it.
async function room(t) {
  const server = await t.server({ admin: { enabled: 'yes', secret: 's' } });
  const red = await enter(t, server, 'red', { ...publisher, watch: false });
  const watchers = [];
  for (const name of ['green', 'blue']) {
    const page = await enter(t, server, name, { publish: false });
    await page.waitFor((who) => T.has(who) && T.state(who).up, `${name}-sub`);
    watchers.push({ page, sub: `${name}-sub` });
  }
  await red.waitFor(() => T.state('red').dataOpen);
  return { server, red, watchers, id: await red.evaluate(() => T.state('red').id) };
}

test('room data: text and binary reach every subscriber', { variants: [['chromium', 'lite'], ['chromium', 'full'], ['firefox', 'lite']], tags: ['asan'] },
  async (t) => {
    const { server, red, watchers, id } = await room(t);
    for (const { page, sub } of watchers) {
      const line = (await page.evaluate((n) => T.state(n), sub)).streams.find((s) => s.type === 'data');
      assert.deepEqual([line.active, line.sources, line.source_ids], [true, 1, [id]]);
    }
    const hash = await red.evaluate(async () => {
      const bytes = crypto.getRandomValues(new Uint8Array(50000)).buffer;
      await T.say('red', 'grüße ✓');
      await T.say('red', bytes);
      await T.say('red', 'bye');
      return T.sha256(bytes);
    });
    for (const { page, sub } of watchers) {
      await heardAll(page, sub, 3);
      const { data } = await page.evaluate((n) => T.state(n), sub);
      assert.deepEqual([data[0], data[2]], ['grüße ✓', 'bye']);
      const heard = await page.evaluate((n) => T.heard(n), sub);
      assert.deepEqual(heard, { n: 3, bytes: 50000, hash, labels: [String(id)] });
    }

    // The publisher's gate. What the server got is what the administrator sees.
    const where = await red.evaluate(() => `/${T.sessionId()}/${T.handle('red').getId()}`);
    const got = async () => (await new HttpClient(server.adminHttp).post(where, { janus: 'handle_info', admin_secret: 's' }))
      .json.info.webrtc.media['2'].stats.in.packets;
    const before = await got();
    const gate = (data) => red.evaluate((d) => T.ask('red', { request: 'configure', data: d }, (e) => e.configured), data);
    await gate(false);
    await red.evaluate(() => T.say('red', 'to nobody'));
    await until('the message', async () => (await got()) > before);
    await gate(true);
    await red.evaluate(() => T.say('red', 'again'));
    for (const { page, sub } of watchers) {
      await heardAll(page, sub, 4);
      assert.equal((await page.evaluate((n) => T.state(n), sub)).data[3], 'again');
    }
  });

test('room data: two publishers on one line', { variants: [['chromium', 'lite']] }, async (t) => {
  const { server, red, watchers, id } = await room(t);
  const grey = await enter(t, server, 'grey', { audio: false, video: null, data: true, watch: false });
  await grey.waitFor(() => T.state('grey').dataOpen);
  const other = await grey.evaluate(() => T.state('grey').id);
  const [{ page, sub }] = watchers;
  await page.waitFor((n) => T.state(n).streams.find((s) => s.type === 'data')?.sources === 2, sub);
  await red.evaluate(() => T.say('red', 'one'));
  await heardAll(page, sub, 1);
  await grey.evaluate(() => T.say('grey', 'two'));
  await heardAll(page, sub, 2);
  const heard = await page.evaluate((n) => T.heard(n), sub);
  assert.deepEqual(heard.labels, [String(id), String(other)]);
});

test('room data: 5 MB to two subscribers while video flows', { variants: [['chromium', 'lite']], tags: ['asan'] },
  async (t) => {
    const { red, watchers } = await room(t);
    const mids = [];
    const before = [];
    for (const { page, sub } of watchers) {
      const [mid] = await page.evaluate((n) => T.midsOf(n), sub);
      await page.evaluate(([n, m]) => T.seesMotion(n, m), [sub, mid]);
      before.push((await page.evaluate((n) => T.received(n), sub))[mid]);
      mids.push(mid);
    }
    await red.evaluate(() => (window.sent = []));
    const t0 = Date.now();
    // Nobody waits for a slow subscriber, so the sender does: 512 KiB at a time.
    for (let round = 1; round <= 10; round++) {
      await red.evaluate(async () => {
        for (let i = 0; i < 8; i++) {
          window.sent.push(crypto.getRandomValues(new Uint8Array(65536)));
          await T.say('red', window.sent.at(-1).buffer);
        }
      });
      for (const { page, sub } of watchers) await heardAll(page, sub, 8 * round);
    }
    const ms = Date.now() - t0;
    const hash = await red.evaluate(async () => T.sha256(await new Blob(window.sent).arrayBuffer()));
    for (const [i, { page, sub }] of watchers.entries()) {
      const heard = await page.evaluate((n) => T.heard(n), sub);
      assert.deepEqual([heard.n, heard.bytes, heard.hash], [80, 5 * 1024 * 1024, hash]);
      await page.evaluate(([n, m]) => T.seesMotion(n, m), [sub, mids[i]]);
      const after = (await page.evaluate((n) => T.received(n), sub))[mids[i]];
      assert.ok(after.frames > before[i].frames, 'video went on');
    }
    t.note(`${((5 * 1024 * 1024 * 8) / ms / 1000).toFixed(1)} Mbit/s to each`);
  });
