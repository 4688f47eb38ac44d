// Each codec in a room that is for it: frames are decoded and differ, sound can be heard, and the
// subscriber's statistics name the codec.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';
import { createRoom, leave, publishAndWatch } from '../lib/rooms.mjs';

const ROUNDS = [
  { video: 'vp8', audio: 'opus' },
  { video: 'vp9', audio: 'pcmu' },
  { video: 'h264', audio: 'pcma' },
  { video: 'av1', audio: 'g722' },
  { video: 'vp8', audio: 'red' },
];

test('each codec', { variants: [['chromium', 'lite'], ['firefox', 'lite']], timeout: 120 }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  for (const { video, audio } of ROUNDS) {
    const missing = [];
    for (const [kind, codec] of [['video', video], ['audio', audio]])
      if (!(await page.evaluate(([k, c]) => T.canSend(k, c), [kind, codec]))) missing.push(codec);
    for (const codec of missing) t.note(`${codec}: this browser sends none`);
    const options = { video: missing.includes(video) ? false : { colour: [30, 30, 200] }, audio: !missing.includes(audio) };
    if (!options.video && !options.audio) continue;
    const room = await createRoom(server, { videocodec: video, audiocodec: audio });
    const who = await publishAndWatch(page, room, options);
    const heard = [];
    if (options.video) {
      const seen = await page.evaluate(([n, m]) => T.seesMotion(n, m), [who.sub, who.video]);
      assert.ok(seen.colour[2] > 130 && seen.colour[0] < 90, `${video}: looks like ${seen.colour}`);
      const codec = await page.evaluate(([n, m]) => T.codecOf(n, m), [who.sub, who.video]);
      assert.equal(codec.toLowerCase(), video);
      heard.push(codec);
    }
    if (options.audio) {
      await page.evaluate(([n, m]) => T.hearsSomething(n, m), [who.sub, who.audio]);
      const codec = await page.evaluate(([n, m]) => T.codecOf(n, m), [who.sub, who.audio]);
      assert.equal(codec.toLowerCase(), audio);
      heard.push(codec);
    }
    t.note(`decoded: ${heard.join(', ')}`);
    await leave(page, who);
  }
});
