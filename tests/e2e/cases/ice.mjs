// ICE restarts from both ends while media flows; the DTLS connection and the streams stay.

import assert from 'node:assert/strict';
import { freePorts } from '../lib/ports.mjs';
import { test } from '../lib/runner.mjs';

const variants = [['chromium', 'lite'], ['chromium', 'full'], ['firefox', 'lite']];

test('ICE restart by the client', { variants, tags: ['asan'] }, async (t) => {
  const server = await t.server({ media: { no_media_timer: 5 } }); // a busy browser may take a second
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(() => T.echo());
  const before = { ...(await page.evaluate(() => T.transport('echo'))), ...(await page.evaluate(() => T.seesMotion('echo', '1'))) };
  await page.evaluate(() => T.renegotiate('echo', { iceRestart: true, message: { video: true } }));
  await page.waitFor((old) => T.transport('echo').ufrag !== old, before.ufrag);
  const after = { ...(await page.evaluate(() => T.transport('echo'))), ...(await page.evaluate(() => T.seesMotion('echo', '1'))) };
  assert.notEqual(after.ufrag, before.ufrag);
  assert.equal(after.fingerprint, before.fingerprint);
  assert.equal(after.ssrc, before.ssrc);
  await page.evaluate(() => T.sleep(500));
  await page.evaluate(() => T.seesMotion('echo', '1'));
  const { hangups, events } = await page.evaluate(() => T.state('echo'));
  assert.deepEqual(hangups, []);
  assert.equal(events.filter((e) => e.mediaState === 'video' && e.receiving).length, 1, 'media did not stop');
});

test('ICE restart by the server', { variants }, async (t) => {
  const server = await t.server();
  const red = await t.client();
  await red.evaluate((url) => T.connect(url), server.ws);
  await red.evaluate(() => T.join('red', { video: { colour: [200, 30, 30] } }));
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(() => T.join('me', { publish: false }));
  const [seen] = await page.evaluate(() => T.seesOthers('me', 1));
  const before = await page.evaluate(() => T.transport('me-sub'));
  const reply = await page.evaluate(() => T.ask('me-sub', { request: 'configure', restart: true }, (e) => e.configured));
  assert.equal(reply.configured, 'ok');
  await page.waitFor((old) => T.transport('me-sub').ufrag !== old, before.ufrag);
  const now = await page.evaluate((mid) => T.seesMotion('me-sub', mid), seen.mid);
  assert.equal(now.ssrc, seen.ssrc);
  const after = await page.evaluate(() => T.transport('me-sub'));
  assert.equal(after.fingerprint, before.fingerprint);
  assert.deepEqual((await page.evaluate(() => T.state('me-sub'))).hangups, []);
});

// The page takes the UDP candidates out of the answer, as a network that blocks UDP does in effect.
test('ICE-TCP where UDP is blocked', { variants: [['chromium', 'lite'], ['firefox', 'lite']], tags: ['asan'] }, async (t) => {
  const server = await t.server({ media: { tcp_port: await freePorts(1) } });
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(() => T.echo('echo', { transport: 'tcp', data: true }));
  const video = await page.evaluate(() => T.seesMotion('echo', '1'));
  assert.ok(video.width > 0 && video.frames > 0);
  await page.evaluate(() => T.hearsSomething('echo', '0'));
  assert.equal(await page.evaluate(() => T.protocol('echo')), 'tcp');
  await page.waitFor(() => T.state('echo').dataOpen);
  await page.evaluate(() => T.say('echo', 'x'.repeat(50000)));
  await page.waitFor(() => T.state('echo').data.length);
  await page.evaluate(() => T.destroy());
});

test('ICE-TCP is there but UDP is taken', { variants: [['chromium', 'lite'], ['firefox', 'lite']] }, async (t) => {
  const server = await t.server({ media: { tcp_port: await freePorts(1) } });
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(() => T.echo());
  await page.evaluate(() => T.seesMotion('echo', '1'));
  assert.equal(await page.evaluate(() => T.protocol('echo')), 'udp');
});
