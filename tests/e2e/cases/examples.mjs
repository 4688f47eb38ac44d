// The example plugins, built out of tree against an installation, with real browsers.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from '../lib/runner.mjs';
import { buildDir, topDir } from '../lib/paths.mjs';
import { buildPlugin, stage } from '../../authors/stage.mjs';

// The folder of the plugins, made once for all tests of this file.
async function build() {
  const dir = path.join(buildDir, 'e2e-examples');
  const staged = await stage(buildDir, path.join(dir, 'stage'));
  const so = path.join(dir, 'so');
  fs.rmSync(so, { recursive: true, force: true });
  fs.mkdirSync(so);
  for (const name of ['example', 'example-meter', 'example-player']) {
    const built = await buildPlugin(staged, path.join(topDir, 'plugins', name), path.join(dir, name));
    fs.copyFileSync(built, path.join(so, path.basename(built)));
  }
  return so;
}

let folder;
const conf = async () => ({ general: { plugins_dir: await (folder ??= build()), plugin_checks: 'yes' } });

test('the player plays sound and picture, and begins with a key frame', { variants: [['chromium', 'lite']], browsers: ['chromium'] }, async (t) => {
  const server = await t.server(await conf());
  const watch = async (page) => {
    await page.evaluate((url) => T.connect(url), server.ws);
    await page.evaluate(async () => {
      await T.attach('tv', 'example.plugin.player', async (e, data, jsep) => {
        if (!jsep) return;
        await T.ask('tv', { request: 'start' }, (d) => d.started, await T.answer('tv', { jsep, tracks: [] }));
      });
      await T.ask('tv', { request: 'watch' }, (d) => d.watching);
    });
    const video = await page.evaluate(() => T.seesMotion('tv', '1', 30000));
    assert.ok(video.width === 320 && video.height === 180 && video.frames > 2);
    await page.evaluate(() => T.hearsSomething('tv', '0'));
  };
  const first = await t.client();
  await watch(first);
  await watch(await t.client()); // another one joins in the middle
  // Sound and picture are of one clock: this browser tells when what it plays was made.
  const drift = await first.evaluate(async () => {
    const pc = T.pc('tv');
    const times = await T.until('playout times', async () => {
      const all = [...(await pc.getStats()).values()].filter((s) => s.type === 'inbound-rtp');
      const t = all.map((s) => s.estimatedPlayoutTimestamp).filter((x) => x);
      return t.length === 2 && t;
    });
    return Math.abs(times[0] - times[1]);
  });
  assert.ok(drift < 1000, `${drift} ms between sound and picture`);
  await first.evaluate(() => T.ask('tv', { request: 'stop' }, (d) => d.stopped));
});

test('the meter hears how loud a client is', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server(await conf());
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  const levels = await page.evaluate(async () => {
    const entry = await T.attach('mic', 'example.plugin.meter', (e, data, jsep) => jsep && T.accept('mic', jsep));
    const jsep = await T.offer('mic', [{ type: 'audio', capture: T.tone(), recv: false }]);
    await T.ask('mic', { request: 'listen' }, (d) => d.listening, jsep);
    return T.until('levels', () => {
      const l = entry.events.filter((e) => e.meter === 'level' && e.dbov > -60);
      return l.length >= 5 && l.reduce((n, e) => n + e.packets, 0) > 20 && l;
    });
  });
  for (const l of levels) assert.ok(l.packets > 0 && l.peak >= l.dbov, JSON.stringify(l));
  await page.evaluate(() => T.detach('mic')); // while packets are under way
});

test('the tutorial plugin echoes sound, picture and data', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server(await conf());
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(async () => {
    await T.attach('hello', 'example.plugin.hello', (e, data, jsep) => jsep && T.accept('hello', jsep));
    const jsep = await T.offer('hello', T.tracksOf({ audio: true, video: 'camera', data: true }));
    await T.ask('hello', { request: 'echo' }, (d) => d.echo === 'started', jsep);
  });
  await page.evaluate(() => T.seesMotion('hello', '1'));
  await page.waitFor(() => T.state('hello').dataOpen);
  await page.evaluate(() => T.say('hello', 'hello'));
  await page.waitFor(() => T.state('hello').data.length);
  assert.deepEqual((await page.evaluate(() => T.state('hello'))).data, ['HELLO']);
});
