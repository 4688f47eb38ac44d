// Subscribers who lose packets get each of them twice (RED), and hear it.

import assert from 'node:assert/strict';
import { link } from '../lib/link.mjs';
import { createRoom, publishAndWatch } from '../lib/rooms.mjs';
import { test } from '../lib/runner.mjs';

const LOSS = 0.12;
const SECONDS = 5;

test('lost audio is made up for by RED', { link: true, browsers: ['chromium'], variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server({ general: { workers: 1 } }, {}, true);
  await link.reset();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  const who = {};
  for (const red of [true, false]) {
    who[red] = await publishAndWatch(page, await createRoom(server, { opus_red: red }),
      { audio: { mouth: `mouth ${red}` }, video: false });
    await page.evaluate((n) => T.speak(n, true), `mouth ${red}`);
    await page.evaluate(([n, m]) => T.hearsSomething(n, m), [who[red].sub, who[red].audio]);
  }
  const counts = async (red) => (await page.evaluate((n) => T.received(n), who[red].sub))[who[red].audio];
  // Bytes per packet during half a second: redundancy shows by them, and in no other statistic.
  const size = async (red) => {
    const before = await counts(red);
    await page.evaluate(() => T.sleep(500));
    const now = await counts(red);
    return (now.bytes - before.bytes) / (now.packets - before.packets);
  };
  const plain = await size(true);
  t.note(`${plain.toFixed(0)} bytes per packet`);

  await link.set(`down loss=${LOSS}`);
  const from = Date.now();
  while ((await size(true)) < 1.6 * plain) assert.ok(Date.now() < from + 30000, 'no RED');
  t.note(`RED after ${Date.now() - from} ms of ${100 * LOSS} % loss`);
  const before = { true: await counts(true), false: await counts(false) };
  await page.evaluate((ms) => T.sleep(ms), 1000 * SECONDS);
  const share = {};
  for (const red of [true, false]) {
    const now = await counts(red);
    share[red] = (now.concealed - before[red].concealed) / (now.samples - before[red].samples);
    t.note(`${red ? 'with' : 'without'} RED: ${(100 * share[red]).toFixed(1)} % of the samples were made up, ${now.packets - before[red].packets} packets`);
  }
  assert.ok(share.false > LOSS / 3, 'without it, loss is heard');
  assert.ok(share.true < share.false / 2, 'with it, less');
  assert.ok((await size(false)) < 1.4 * plain, 'who has not negotiated it does not get it');
});
