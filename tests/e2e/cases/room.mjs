// VideoRoom through the unmodified janus.js: everybody decodes everybody else, and sees the right
// picture (each participant sends a colour of its own).

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';

const COLOURS = { red: [200, 30, 30], green: [30, 160, 30], blue: [30, 30, 200], grey: [110, 110, 110] };

function near(seen, name) {
  for (let c = 0; c < 3; c++)
    assert.ok(Math.abs(seen[c] - COLOURS[name][c]) < 45, `${name}: saw ${seen}, expected ${COLOURS[name]}`);
}

async function enter(t, server, name, { kind, ...options } = {}) {
  const page = await t.client(kind);
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(([n, o]) => T.join(n, o), [name, { video: { colour: COLOURS[name] }, ...options }]);
  return page;
}

async function everybodySees(pages) {
  const names = Object.keys(pages);
  for (const name of names) {
    const others = await pages[name].evaluate(([n, k]) => T.seesOthers(n, k), [name, names.length - 1]);
    assert.deepEqual(others.map((o) => o.display).sort(), names.filter((n) => n !== name).sort(), `what ${name} sees`);
    for (const o of others) near(o.colour, o.display);
  }
}

test('three participants', { variants: [['chromium', 'lite'], ['chromium', 'full']], tags: ['asan'] }, async (t) => {
  const server = await t.server();
  const pages = {};
  for (const name of ['red', 'green', 'blue']) pages[name] = await enter(t, server, name);
  await everybodySees(pages);
  for (const name of Object.keys(pages)) {
    const [mid] = await pages[name].evaluate((n) => T.midsOf(`${n}-sub`, undefined, 'audio'), name);
    await pages[name].evaluate(([n, m]) => T.hearsSomething(`${n}-sub`, m), [name, mid]);
  }
});

test('Chromium and Firefox in one room', { variants: [['firefox', 'lite']], browsers: ['firefox'] }, async (t) => {
  const server = await t.server();
  const pages = {};
  pages.red = await enter(t, server, 'red', { kind: 'chromium' });
  pages.green = await enter(t, server, 'green', { kind: 'firefox' });
  pages.blue = await enter(t, server, 'blue', { kind: 'chromium' });
  await everybodySees(pages);
});

test('unpublish, and publish again on the same handle', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const pages = { red: await enter(t, server, 'red'), green: await enter(t, server, 'green') };
  await everybodySees(pages);
  await pages.red.evaluate(() => T.unpublish('red'));
  await pages.green.waitFor(() => T.state('green').events.some((e) => e.unpublished !== undefined));
  await pages.green.waitFor(() => T.midsOf('green-sub').length === 0);
  await pages.red.evaluate((colour) => T.publish('red', { video: { colour } }), COLOURS.blue);
  const [seen] = await pages.green.evaluate(() => T.seesOthers('green', 1));
  near(seen.colour, 'blue');
  for (const name of ['red', 'green']) assert.equal((await pages[name].evaluate((n) => T.state(n), name)).error, undefined);
});

test('tracks: replaced, added and removed', { variants: [['chromium', 'lite'], ['firefox', 'lite']] }, async (t) => {
  const server = await t.server();
  const pages = { red: await enter(t, server, 'red'), green: await enter(t, server, 'green') };
  await everybodySees(pages);

  await pages.red.evaluate((colour) => T.replaceTracks('red', [{ type: 'video', mid: '1', video: { colour } }]), COLOURS.blue);
  await pages.green.waitFor(() => {
    const [mid] = T.midsOf('green-sub');
    const seen = T.look('green-sub', mid);
    return seen && seen.colour[2] > 140 && seen.colour[0] < 90;
  });

  const done = await pages.red.evaluate(
    (colour) => T.renegotiate('red', { tracks: [{ type: 'video', add: true, video: { colour } }] }), COLOURS.grey);
  assert.equal(done.configured, 'ok');
  assert.equal(done.streams.length, 3, JSON.stringify(done.streams));
  const two = await pages.green.evaluate(() => T.seesOthers('green', 2));
  near(two[0].colour, 'blue');
  near(two[1].colour, 'grey');

  const less = await pages.red.evaluate(() => T.renegotiate('red', { tracks: [{ type: 'video', remove: true, mid: '2' }] }));
  assert.equal(less.configured, 'ok');
  const told = await pages.green.waitFor(() =>
    T.state('green').events.find((e) => e.publishers?.[0]?.streams.some((s) => s.mid === '2' && s.disabled)));
  assert.ok(told);
  const before = await pages.green.evaluate(() => T.received('green-sub'));
  const [first] = await pages.green.evaluate(() => T.midsOf('green-sub'));
  await pages.green.evaluate((m) => T.seesMotion('green-sub', m), first);
  assert.ok(before[first], 'the first video goes on');
});

test('one connection: subscribe, unsubscribe, update, switch, pause', { variants: [['chromium', 'lite'], ['chromium', 'full']] },
  async (t) => {
    const server = await t.server();
    const ids = {};
    const pages = {};
    for (const name of ['red', 'green', 'blue']) {
      pages[name] = await enter(t, server, name, { watch: false });
      ids[name] = await pages[name].evaluate((n) => T.state(n).id, name);
    }
    const page = await t.client();
    await page.evaluate((url) => T.connect(url), server.ws);
    await page.evaluate(() => T.join('me', { publish: false, watch: false }));
    await page.evaluate((red) => T.watchOnly('w', { feed: red, mid: '1' }), ids.red);
    const ssrc0 = (await page.evaluate(() => T.seesMotion('w', '0'))).ssrc;

    const ask = (message, kind) => page.evaluate(([m, k]) => T.ask('w', m, (e) => e.videoroom === k || e[k] !== undefined), [message, kind]);
    // Plus one, minus one, in place of one.
    let reply = await ask({ request: 'subscribe', streams: [{ feed: ids.green, mid: '1' }] }, 'updated');
    assert.equal(reply.streams.length, 2, JSON.stringify(reply));
    near((await page.evaluate(() => T.seesMotion('w', '1'))).colour, 'green');
    reply = await ask({ request: 'unsubscribe', streams: [{ sub_mid: '1' }] }, 'updated');
    assert.deepEqual(reply.streams.map((s) => s.active), [true, false]);
    reply = await ask({ request: 'update', subscribe: [{ feed: ids.blue, mid: '1' }] }, 'updated');
    assert.equal(reply.streams.length, 2, 'the free line is used again');
    await page.waitFor(() => T.look('w', '1')?.colour[2] > 140);

    // A switch keeps the connection, the line and the SSRC.
    reply = await ask({ request: 'switch', streams: [{ feed: ids.green, mid: '1', sub_mid: '0' }] }, 'switched');
    assert.equal(reply.switched, 'ok', JSON.stringify(reply));
    await page.waitFor(() => {
      const seen = T.look('w', '0');
      return seen && seen.colour[1] > 110 && seen.colour[0] < 90;
    });
    const after = await page.evaluate(() => T.seesMotion('w', '0'));
    assert.equal(after.ssrc, ssrc0);

    reply = await ask({ request: 'pause' }, 'paused');
    assert.equal(reply.paused, 'ok');
    await page.evaluate(() => T.rests('w', '0'));
    reply = await ask({ request: 'start' }, 'started');
    assert.equal(reply.started, 'ok');
    await page.evaluate(() => T.seesMotion('w', '0'));
  });

test('a legacy subscriber: one handle for one feed', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const red = await enter(t, server, 'red', { watch: false });
  const id = await red.evaluate(() => T.state('red').id);
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate((feed) => T.watchOnly('w', { feed }, { legacy: true }), id);
  const attached = (await page.evaluate(() => T.state('w'))).events.find((e) => e.videoroom === 'attached');
  assert.equal(attached.id, id);
  assert.equal(attached.display, 'red');
  near((await page.evaluate(() => T.seesMotion('w', '1'))).colour, 'red');
});

test('kick, and destroying a room', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const red = await enter(t, server, 'red');
  const green = await enter(t, server, 'green');
  const id = await red.evaluate(() => T.state('red').id);
  assert.equal((await green.evaluate((who) => T.ask('green', { request: 'kick', room: 1234, id: who }, () => true), id)).videoroom, 'success');
  await red.waitFor(() => T.state('red').events.some((e) => e.leaving === 'ok' && e.reason === 'kicked'));
  await green.waitFor(() => T.state('green').events.some((e) => e.kicked !== undefined));
  await red.waitFor(() => !T.state('red').up);
  await green.evaluate(() => T.ask('green', { request: 'destroy', room: 1234 }, () => true));
  await green.waitFor(() => T.state('green').events.some((e) => e.videoroom === 'destroyed'));
  await green.waitFor(() => !T.state('green').up);
});
