// EchoTest through the unmodified janus.js: what comes back is decoded, changes, and can be heard.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';

const CF = [['chromium', 'lite'], ['firefox', 'lite'], ['chromium', 'full'], ['firefox', 'full']];

test('echo', { variants: CF, tags: ['asan'] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(() => T.echo());
  const video = await page.evaluate(() => T.seesMotion('echo', '1'));
  assert.ok(video.width > 0 && video.frames > 0);
  await page.evaluate(() => T.hearsSomething('echo', '0'));
  const { lite } = await page.evaluate(() => T.transport('echo'));
  assert.equal(lite, t.ice === 'lite');
  await page.evaluate(() => T.destroy());
});

test('echo over long poll', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.http);
  await page.evaluate(() => T.echo());
  await page.evaluate(() => T.seesMotion('echo', '1'));
  await page.evaluate(() => T.destroy());
});

test('echo without trickling', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(() => T.echo('echo', { trickle: false }));
  await page.evaluate(() => T.seesMotion('echo', '1'));
});

test('echo can be muted: no frames while video is false', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(() => T.echo());
  await page.evaluate(() => T.seesMotion('echo', '1'));
  await page.evaluate(() => T.ask('echo', { video: false }, (e) => e.result === 'ok'));
  await page.evaluate(() => T.rests('echo', '1'));
  const before = (await page.evaluate(() => T.received('echo')))['1'];
  await page.evaluate(() => T.ask('echo', { video: true }, (e) => e.result === 'ok'));
  await page.evaluate(() => T.seesMotion('echo', '1'));
  const again = (await page.evaluate(() => T.received('echo')))['1'];
  assert.equal(again.ssrc, before.ssrc, 'the same stream');
});

test('hangup gives done and hangup', { variants: [['chromium', 'lite']], tags: ['asan'] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(() => T.echo());
  await page.evaluate(() => T.detach('echo'));
  await page.evaluate(() => T.echo('again', { audio: false }));
  await page.evaluate(() => T.seesMotion('again', '0'));
  const { hangups } = await page.evaluate(() => T.state('again'));
  assert.deepEqual(hangups, []);
});

test('echo of a data channel', { variants: [['chromium', 'lite'], ['firefox', 'lite']], tags: ['asan'] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(() => T.echo('echo', { data: true }));
  await page.waitFor(() => T.state('echo').dataOpen);
  await page.evaluate(() => T.say('echo', 'hello'));
  await page.waitFor(() => T.state('echo').data.length);
  assert.deepEqual((await page.evaluate(() => T.state('echo'))).data, ['Janus EchoTest here! You wrote: hello']);
  await page.evaluate(() => T.seesMotion('echo', '1'));
});
