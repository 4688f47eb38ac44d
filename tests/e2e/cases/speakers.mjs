// Who speaks: the room is told, a slot shows them, and only the loudest are heard.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';
import { createRoom } from '../lib/rooms.mjs';

const COLOURS = { red: [200, 30, 30], green: [30, 160, 30], blue: [30, 30, 200] };

test('videos of those who are silent rest, and come back at once', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  const room = await createRoom(server, { videocodec: 'vp8', video_last: 1 });
  const feeds = [];
  for (const [name, colour] of Object.entries(COLOURS).slice(0, 2))
    feeds.push(await page.evaluate(([n, o]) => T.join(n, o),
      [name, { room, watch: false, audio: { mouth: name }, video: { colour } }]));
  await page.evaluate(([f, r]) => T.watchOnly('w', f.map((feed) => ({ feed, mid: '1' })), { room: r }), [feeds, room]);
  await page.evaluate(() => T.seesMotion('w', '0'));
  const packets = async () => Object.values(await page.evaluate(() => T.received('w'))).map((s) => s.packets);
  const asked = () => page.evaluate(async () => [...(await T.pc('green').getStats()).values()]
    .filter((s) => s.type === 'outbound-rtp').reduce((sum, s) => sum + (s.pliCount ?? 0) + (s.firCount ?? 0), 0));
  assert.equal((await packets())[1] ?? 0, 0, 'who joined later rests');

  const before = await asked();
  const { told, ms } = await page.evaluate(async () => {
    T.speak('green', true);
    const views = () => T.state('w').events.filter((e) => e.view);
    await T.until('the event', () => views().length > 0);
    const from = performance.now();
    await T.seesMotion('w', '1');
    return { told: views().at(-1).view.map((v) => [v.mid, v.rests]), ms: performance.now() - from };
  });
  t.note(`moves ${ms.toFixed(0)} ms after the event, ${(await asked()) - before} key frames asked for`);
  assert.deepEqual(told, [['0', true], ['1', false]]);
  await page.evaluate(() => T.rests('w', '0'));
});

test('slots follow the speakers', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  const room = await createRoom(server, { videocodec: 'vp8', speaker_event: true, audio_loudest: 1 });
  const ids = {};
  for (const [name, colour] of Object.entries(COLOURS))
    ids[name] = await page.evaluate(([n, o]) => T.join(n, o),
      [name, { room, watch: false, audio: { mouth: name }, video: { colour } }]);
  await page.evaluate((r) => T.watchOnly('w', [{ slot: 0 }, { slot: 0, type: 'audio' }], { room: r }), room);
  const { ssrc } = await page.evaluate(() => T.seesMotion('w', '0'));

  for (const name of ['green', 'blue', 'red']) {
    const colour = COLOURS[name];
    const { events } = await page.evaluate(async ([n, c]) => {
      const from = T.state('w').events.length;
      T.speak(n, true);
      await T.hearsSomething('w', '1');
      await T.until(`${n} in the slot`, () => {
        const seen = T.look('w', '0');
        return seen && seen.colour.every((v, i) => Math.abs(v - c[i]) < 45);
      });
      await T.sleep(300);
      T.speak(n, false);
      return { events: T.state('w').events.slice(from).filter((e) => e.view).flatMap((e) => e.view) };
    }, [name, colour]);
    // The sound at once, the picture when he is the speaker; each is told, and told once.
    for (const [mid, type] of [['1', 'audio'], ['0', 'video']]) {
      const told = events.filter((v) => v.mid === mid).map((v) => [v.type, v.slot, v.feed_id]);
      assert.ok(told.length <= 1, JSON.stringify(told));
      if (told.length) assert.deepEqual(told[0], [type, 0, ids[name]]);
    }
    await page.waitFor(([id]) => T.state('red').events.filter((e) => e.speaker).at(-1)?.speaker === id, [ids[name]]);
  }
  const after = await page.evaluate(() => T.seesMotion('w', '0'));
  assert.equal(after.ssrc, ssrc, 'one line all along');
  const offers = await page.evaluate(() => T.state('w').events.filter((e) => e.videoroom === 'updated').length);
  assert.equal(offers, 0, 'nothing was negotiated');

  // Who is not heard is not sent to anybody.
  await page.evaluate(([feed, r]) => T.watchOnly('g', { feed, mid: '0' }, { room: r }), [ids.green, room]);
  await page.evaluate(() => T.rests('g', '0'));
  const n = await page.evaluate(async () => (await T.received('g'))['0']?.packets ?? 0);
  await page.evaluate(() => T.speak('green', true));
  await page.waitFor((k) => T.received('g').then((r) => r['0']?.packets > k + 20), n);
});
