// RTP padding makes the packets of a frame equal in size, so that they leave as one message. For
// each codec that gets it: no receiver minds.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';
import { HttpClient } from '../lib/protocol.mjs';
import { createRoom } from '../lib/rooms.mjs';

const SECRET = 'of the test';
const MS = 6000;

async function paddedPackets(port) {
  const admin = new HttpClient(`http://127.0.0.1:${port}/admin`);
  const { json } = await admin.post('', { janus: 'loops_info', admin_secret: SECRET });
  return json.loops.reduce((n, l) => n + l.send.padded_packets, 0);
}

for (const codec of ['vp8', 'vp9', 'h264'])
  test(`padding of ${codec}`, { variants: [['chromium', 'lite'], ['firefox', 'lite']], timeout: 90 }, async (t) => {
    const port = 9000 + Math.floor(Math.random() * 900);
    // With one receiver the server is often faster than the sender: packets wait for their frame.
    const server = await t.server({ admin: { enabled: 'yes', port, secret: SECRET }, media: { burst_wait_us: 3000 } });
    const sender = await t.client('chromium');
    const page = await t.client();
    for (const p of [sender, page]) {
      if (!(await p.evaluate((c) => T.canSend('video', c), codec))) {
        t.note(`${codec}: not with this ${p === sender ? 'Chromium' : 'browser'}`);
        return;
      }
    }
    for (const p of [sender, page]) await p.evaluate((url) => T.connect(url), server.ws);
    const room = await createRoom(server, { videocodec: codec });
    const video = { colour: [30, 30, 200], noise: 600 };
    const feed = await sender.evaluate(([r, v]) => T.join('p', { room: r, watch: false, audio: false, video: v }), [room, video]);
    await page.evaluate(([f, r]) => T.watchOnly('s', { feed: f }, { room: r }), [feed, room]);
    const [mid] = await page.evaluate(() => T.midsOf('s'));
    await page.evaluate((m) => T.seesMotion('s', m), mid);
    assert.equal((await page.evaluate((m) => T.codecOf('s', m), mid)).toLowerCase(), codec);
    await page.evaluate(() => T.sleep(3000)); // until the bandwidth is there for large frames

    const before = await page.evaluate((m) => T.receiving('s', m), mid);
    const paddedBefore = await paddedPackets(port);
    await page.evaluate((ms) => T.sleep(ms), MS);
    const after = await page.evaluate((m) => T.receiving('s', m), mid);
    const padded = (await paddedPackets(port)) - paddedBefore;
    const got = Object.fromEntries(Object.keys(after).map((k) => [k, after[k] - before[k]]));
    t.note(`${padded} of ${got.packetsReceived} packets padded, ${got.framesDecoded} frames decoded, ${got.freezeCount} freezes`);

    assert.ok(padded > 50, `only ${padded} packets were padded`);
    assert.equal(got.packetsDiscarded, 0);
    assert.equal(got.packetsLost, 0);
    assert.equal(got.pliCount, 0);
    assert.ok(got.framesReceived > 20, `${got.framesReceived} frames came`);
    assert.ok(got.framesDecoded >= got.framesReceived - 5, `${got.framesDecoded} of ${got.framesReceived} frames decoded`);
    assert.ok(got.freezeCount <= 1, `${got.freezeCount} freezes`); // one is the machine's
    assert.ok(await page.evaluate((m) => T.look('s', m), mid));
  });
