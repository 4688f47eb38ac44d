import { test } from '../lib/runner.mjs';
import { createRoom, publishAndWatch } from '../lib/rooms.mjs';
test('zzred', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  const room = await createRoom(server, { audiocodec: 'red' });
  const who = await publishAndWatch(page, room, { video: false });
  await page.evaluate(() => T.sleep(1500));
  for (const n of [who.pub, who.sub])
    for (const d of ['localDescription', 'remoteDescription'])
      t.note(n + d + (await page.evaluate(([x, y]) => T.pc(x)[y].sdp, [n, d])).split('\r\n').filter((l) => /^m=|rtpmap|fmtp/.test(l)).join(' | '));
  t.note(JSON.stringify(await page.evaluate(async ([a, b]) => [[...(await T.pc(a).getStats()).values()], [...(await T.pc(b).getStats()).values()]].map((x) => x.filter((s) => /codec|bound-rtp/.test(s.type)).map((s) => [s.type, s.mimeType, s.codecId, s.bytesSent, s.packetsSent, s.bytesReceived, s.packetsReceived, s.fecPacketsReceived])), [who.pub, who.sub])));
});
