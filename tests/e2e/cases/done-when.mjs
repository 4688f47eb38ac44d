// The figures that the first release promises. Times are asserted at three times what is asked for,
// since machines that run tests are noisy; the notes tell what was measured.

import assert from 'node:assert/strict';
import { WsClient } from '../lib/protocol.mjs';
import { test } from '../lib/runner.mjs';
import { sleep, until } from '../lib/until.mjs';

const NOISE = 3;

test('three Chromium pages and one Firefox page decode each other', { alone: true }, async (t) => {
  const server = await t.server();
  const pages = {};
  for (const [name, kind] of [['one', 'chromium'], ['two', 'chromium'], ['three', 'chromium'], ['four', 'firefox']]) {
    pages[name] = await t.client(kind);
    await pages[name].evaluate((url) => T.connect(url), server.ws);
    await pages[name].evaluate((n) => T.join(n), name); // the fake camera, 640x480
  }
  for (const name of Object.keys(pages)) {
    const others = await pages[name].evaluate((n) => T.seesOthers(n, 3), name);
    for (const o of others) assert.ok(o.width >= 160 && o.height >= 120, `${name} sees ${o.width}x${o.height}`);
  }
  await sleep(3000);
  const counts = async () => {
    const out = {};
    for (const [name, page] of Object.entries(pages))
      out[name] = { at: Date.now(), stats: await page.evaluate((n) => T.received(`${n}-sub`), name) };
    return out;
  };
  const a = await counts();
  await sleep(5000);
  const b = await counts();
  const rates = [];
  for (const name of Object.keys(pages)) {
    const seconds = (b[name].at - a[name].at) / 1000;
    for (const [mid, s] of Object.entries(b[name].stats))
      if (s.kind === 'video') rates.push({ name, mid, fps: (s.frames - a[name].stats[mid].frames) / seconds });
  }
  assert.equal(rates.length, 12);
  t.note(`frames/s: ${rates.map((r) => r.fps.toFixed(0)).join(' ')}`);
  for (const r of rates) assert.ok(r.fps >= 15 / NOISE, `${r.name} decodes ${r.fps.toFixed(1)} frames/s on mid ${r.mid}`);
});

test('the first frame comes within a second of join', { variants: [['chromium', 'lite'], ['chromium', 'full']], alone: true },
  async (t) => {
    const server = await t.server();
    const stays = await t.client();
    await stays.evaluate((url) => T.connect(url), server.ws);
    await stays.evaluate(() => T.join('stays', { video: { colour: [200, 30, 30] }, watch: false }));
    const page = await t.client();
    const times = [];
    for (let i = 0; i < 10; i++)
      times.push(await page.evaluate(([url, n]) => T.visit(url, n, { video: { colour: [30, 160, 30] } }), [server.ws, `v${i}`]));
    times.sort((x, y) => x - y);
    const median = (times[4] + times[5]) / 2;
    t.note(`join to first decoded frame: median ${median.toFixed(0)} ms (${times[0].toFixed(0)} to ${times[9].toFixed(0)})`);
    assert.ok(median <= 1000 * NOISE);
  });

test('200 joins and leaves leave nothing behind', { variants: [['chromium', 'lite']], browsers: ['chromium'], timeout: 240 },
  async (t) => {
    const server = await t.server({ general: { log_level: 'warn' } });
    const stays = await t.client();
    await stays.evaluate((url) => T.connect(url), server.ws);
    await stays.evaluate(() => T.join('stays', { video: { colour: [200, 30, 30] }, watch: false }));
    const at = {};
    let page;
    let n = 0;
    const visits = async (upTo) => {
      for (; n < upTo; n++) {
        if (n % 50 === 0) {
          await page?.close(); // a browser's page tires of peer connections
          page = await t.client();
        }
        await page.evaluate(([url, name]) =>
          T.visit(url, name, { brief: true, audio: false, video: { colour: [30, 160, 30], width: 64, height: 48, fps: 5 } }),
        [server.ws, `v${n}`]);
      }
      await sleep(1500);
      at[n] = server.usage();
      t.note(`after ${n}: ${at[n].fds} fds, ${at[n].threads} threads, ${at[n].rssKib} KiB`);
    };
    for (const upTo of [10, 50, 200]) await visits(upTo);
    await until('as many open files and threads as after 10', () => {
      const { fds, threads } = server.usage();
      return threads === at[10].threads && fds <= at[10].fds + 1;
    });
    let perJoin = (at[200].rssKib - at[50].rssKib) / 150;
    t.note(`memory: ${perJoin.toFixed(2)} KiB per join`);
    if (perJoin >= 1 * NOISE) {
      await visits(350); // the allocator takes a stretch of memory now and then; a leak goes on
      perJoin = (at[350].rssKib - at[200].rssKib) / 150;
      t.note(`memory: ${perJoin.toFixed(2)} KiB per join in the 150 after that`);
    }
    assert.ok(perJoin < 1 * NOISE);
  });

// On one WebSocket, one request at a time: each round trip counts.
test('1,000 rooms are made, listed and destroyed in 2 s', { alone: true }, async (t) => {
  const server = await t.server({ general: { log_level: 'info' } });
  const client = await WsClient.open(server.ws);
  const session = await client.create();
  const handle = await client.attach(session, 'janus.plugin.videoroom');
  const ask = (body) => client.message(session, handle, body);
  const rooms = [...Array(1000).keys()].map((i) => 10000 + i);
  const cpu0 = server.cpuMs();
  const t0 = performance.now();
  for (const room of rooms) assert.equal((await ask({ request: 'create', room })).videoroom, 'created');
  const { list } = await ask({ request: 'list' });
  for (const room of rooms) assert.equal((await ask({ request: 'destroy', room })).videoroom, 'destroyed');
  const ms = performance.now() - t0;
  t.note(`${ms.toFixed(0)} ms, of which the server computed ${server.cpuMs() - cpu0} ms`);
  const listed = new Set(list.map((r) => r.room));
  assert.ok(rooms.every((room) => listed.has(room)), `listed ${list.length}`);
  assert.equal((await ask({ request: 'list' })).list.length, list.length - rooms.length);
  assert.ok(ms < 2000 * NOISE, `took ${ms.toFixed(0)} ms`);
  await client.close();
});
