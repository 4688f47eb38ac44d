// RTP padding makes the packets of a frame equal in size, so that they leave as one message. For
// each codec that gets it: no receiver minds.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';
import { HttpClient } from '../lib/protocol.mjs';
import { createRoom } from '../lib/rooms.mjs';

const SECRET = 'of the test';
const PADDED = 50; // packets that shall be seen
const FRAMES = 20;
const ROUND_MS = 1500;
const ROUNDS = 20; // for a busy machine, where frames are few

async function paddedPackets(server) {
  const admin = new HttpClient(server.adminHttp);
  const { json } = await admin.post('', { janus: 'loops_info', admin_secret: SECRET });
  return json.loops.reduce((n, l) => n + l.send.padded_packets, 0);
}

for (const codec of ['vp8', 'vp9', 'h264'])
  test(`padding of ${codec}`, { variants: [['chromium', 'lite'], ['firefox', 'lite']], alone: true }, async (t) => {
    // With one receiver the server is often faster than the sender: packets wait for their frame.
    const server = await t.server({ admin: { enabled: 'yes', secret: SECRET }, media: { burst_wait_us: 3000 } });
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

    const before = await page.evaluate((m) => T.receiving('s', m), mid);
    const paddedBefore = await paddedPackets(server);
    let padded;
    let got;
    let rounds = 0;
    do {
      await page.evaluate((ms) => T.sleep(ms), ROUND_MS);
      padded = (await paddedPackets(server)) - paddedBefore;
      const after = await page.evaluate((m) => T.receiving('s', m), mid);
      got = Object.fromEntries(Object.keys(after).map((k) => [k, after[k] - before[k]]));
      rounds++;
    } while (rounds < 3 || (rounds < ROUNDS && (padded <= PADDED || got.framesReceived <= FRAMES)));
    t.note(`${padded} of ${got.packetsReceived} packets padded, ${got.framesDecoded} frames decoded, ${got.freezeCount} freezes`);

    assert.ok(padded > PADDED, `only ${padded} packets were padded`);
    assert.equal(got.packetsDiscarded, 0);
    // A busy machine loses some, too: a tenth of what is padded.
    assert.ok(got.packetsLost <= padded / 10, `${got.packetsLost} packets lost`);
    assert.ok(got.pliCount <= 1, `${got.pliCount} key frames asked for`);
    assert.ok(got.framesReceived > FRAMES, `${got.framesReceived} frames came`);
    assert.ok(got.framesDecoded >= got.framesReceived - 5, `${got.framesDecoded} of ${got.framesReceived} frames decoded`);
    assert.ok(got.freezeCount <= rounds, `${got.freezeCount} freezes`); // the machine's own
    assert.ok(await page.evaluate((m) => T.look('s', m), mid));
  });
