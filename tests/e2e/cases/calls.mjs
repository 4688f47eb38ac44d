// VideoCall between two pages, and TextRoom over data channels, with the unmodified janus.js.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';

const CALL = 'janus.plugin.videocall';
const TEXT = 'janus.plugin.textroom';
const VARIANTS = [['chromium', 'lite'], ['chromium', 'full']];

// A page whose user is registered; whoever calls it is answered. @video: what it sends, see client.js.
async function user(t, server, name, { kind, video = 'camera' } = {}) {
  const page = await t.client(kind);
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(async ([me, plugin, picture]) => {
    const tracks = T.tracksOf({ video: picture, data: true });
    window.tracks = tracks;
    await T.attach(me, plugin, async (entry, data, jsep) => {
      if (!jsep) return;
      const { handle } = entry;
      if (jsep.type === 'answer') return handle.handleRemoteJsep({ jsep });
      const request = data.result.event === 'incomingcall' ? 'accept' : 'set';
      handle.createAnswer({
        jsep,
        tracks: request === 'accept' ? tracks : undefined,
        success: (answer) => handle.send({ message: { request }, jsep: answer }),
        error: (e) => (entry.error = String(e)),
      });
    });
  }, [name, CALL, video]);
  await page.evaluate((me) => T.ask(me, { request: 'register', username: me }, (e) => e.result?.event === 'registered'),
    name);
  return page;
}

// The event @what, of @username if given.
const until = (page, name, what, username) =>
  page.evaluate(async ([me, event, user]) => {
    for (let i = 0; i < 1500; i++) {
      const found = T.state(me).events.find((e) => e.result?.event === event && (!user || e.result.username === user));
      if (found) return found.result;
      await T.sleep(10);
    }
    throw new Error(`no ${event}; had ${JSON.stringify(T.state(me).events)}`);
  }, [name, what, username]);

async function call(from, to) {
  await from.page.evaluate(async ([me, other]) => {
    const jsep = await T.offer(me, window.tracks);
    await T.ask(me, { request: 'call', username: other }, (e) => e.result?.event === 'calling', jsep);
  }, [from.name, to.name]);
  await until(from.page, from.name, 'accepted', to.name);
  for (const { page, name } of [from, to]) {
    await page.evaluate((me) => T.seesMotion(me, '1'), name);
    await page.evaluate((me) => T.hearsSomething(me, '0'), name);
  }
}

test('two users call each other', { variants: VARIANTS }, async (t) => {
  const server = await t.server();
  const alice = await user(t, server, 'alice');
  const bob = await user(t, server, 'bob');

  const failed = await alice.evaluate(async () => {
    const jsep = await T.offer('alice', window.tracks);
    return T.ask('alice', { request: 'call', username: 'zed' }, () => false, jsep);
  });
  assert.equal(failed.error_code, 478);
  await alice.evaluate(async () => {
    while (T.state('alice').hangups.length === 0) await T.sleep(10); // and at once again:
    const jsep = await T.offer('alice', window.tracks);
    await T.ask('alice', { request: 'call', username: 'bob' }, (e) => e.result?.event === 'calling', jsep);
  });
  assert.equal((await until(bob, 'bob', 'incomingcall')).username, 'alice');
  assert.equal((await until(alice, 'alice', 'accepted')).username, 'bob');
  for (const [page, name] of [[alice, 'alice'], [bob, 'bob']]) {
    await page.evaluate((me) => T.seesMotion(me, '1'), name);
    await page.evaluate((me) => T.hearsSomething(me, '0'), name);
  }

  // Data goes both ways.
  await alice.evaluate(async () => {
    while (!T.state('alice').dataOpen) await T.sleep(10);
    await T.say('alice', 'hello bob');
  });
  await bob.evaluate(async () => {
    while (!T.state('bob').data.includes('hello bob')) await T.sleep(10);
    await T.say('bob', 'hello alice');
  });
  await alice.evaluate(async () => {
    while (!T.state('alice').data.includes('hello alice')) await T.sleep(10);
  });

  // New ICE credentials on both legs; media goes on.
  await alice.evaluate(async () => {
    const jsep = await T.offer('alice', undefined, true);
    await T.ask('alice', { request: 'set', restart: true }, (e) => e.result?.event === 'set', jsep);
  });
  await until(alice, 'alice', 'update');
  await until(bob, 'bob', 'update');
  await bob.evaluate(() => T.seesMotion('bob', '1'));

  await bob.evaluate(() => T.ask('bob', { request: 'hangup', reason: 'bye' }, (e) => e.result?.event === 'hangup'));
  assert.deepEqual(await until(alice, 'alice', 'hangup'), { event: 'hangup', username: 'bob', reason: 'bye' });
});

test('Chromium and Firefox call each other', { variants: [['firefox', 'lite'], ['firefox', 'full']], browsers: ['firefox'] }, async (t) => {
  const server = await t.server();
  const alice = { name: 'alice', page: await user(t, server, 'alice', { kind: 'chromium' }) };
  const bob = { name: 'bob', page: await user(t, server, 'bob', { kind: 'firefox' }) };
  await call(alice, bob);
  await bob.page.evaluate(() => T.ask('bob', { request: 'hangup' }, (e) => e.result?.event === 'hangup'));
  await until(alice.page, 'alice', 'hangup');
  for (const { page, name } of [alice, bob]) await page.waitFor((me) => T.state(me).hangups.length > 0, name);
  await call(bob, alice);
});

// The layers of a caller end at the server: the callee is sent one, and chooses which.
test('the callee of a simulcast call chooses its layer', { variants: [['chromium', 'lite']], alone: true }, async (t) => {
  const server = await t.server();
  const scalabilityMode = t.browser === 'chromium' ? 'L1T2' : undefined;
  const video = {
    colour: [30, 160, 30], width: 640, height: 360, fps: 15,
    encodings: [{ rid: 'h', maxBitrate: 500000, scalabilityMode }, { rid: 'l', maxBitrate: 100000, scaleResolutionDownBy: 2, scalabilityMode }],
  };
  const alice = { name: 'alice', page: await user(t, server, 'alice', { video }) };
  const bob = { name: 'bob', page: await user(t, server, 'bob') };
  await call(alice, bob);
  assert.equal(await bob.page.evaluate(() => /^a=(simulcast|rid):/m.test(T.pc('bob').remoteDescription.sdp)), false);
  await alice.page.evaluate(() => T.keepSize('alice'));
  await bob.page.evaluate(() => T.watchFrames('bob', '1'));
  for (const [substream, width] of [[0, 320], [1, 640], [0, 320]]) {
    await bob.page.evaluate((n) => T.ask('bob', { request: 'set', substream: n }, (e) => e.result?.event === 'set'), substream);
    await bob.page.evaluate((w) => T.widthBecomes('bob', '1', w), width);
    await bob.page.waitFor((n) => T.state('bob').events.some((e) => e.result?.event === 'simulcast' && e.result.substream === n), substream);
  }
  if (!scalabilityMode) return;
  const all = await bob.page.evaluate(() => T.frameRate('bob', '1', 3000));
  await bob.page.evaluate(() => T.ask('bob', { request: 'set', temporal: 0 }, (e) => e.result?.event === 'set'));
  await bob.page.waitFor(() => T.state('bob').events.some((e) => e.result?.event === 'simulcast' && e.result.temporal === 0));
  const half = await bob.page.evaluate(() => T.frameRate('bob', '1', 3000));
  t.note(`${all.toFixed(1)} frames/s with both temporal layers, ${half.toFixed(1)} with one`);
  assert.ok(half < all * 0.75, 'fewer frames');
});

test('people chat in a text room', { variants: VARIANTS }, async (t) => {
  const server = await t.server({}, { 'textroom.conf': '[room 1234]\ndescription = Demo\nhistory = 5\n' });
  const pages = [];
  for (const name of ['ann', 'ben']) {
    const page = await t.client();
    pages.push(page);
    await page.evaluate((url) => T.connect(url), server.ws);
    await page.evaluate(async ([me, plugin]) => {
      const entry = await T.attach(me, plugin, (e, data, jsep) => {
        if (jsep)
          e.handle.createAnswer({
            jsep,
            tracks: [{ type: 'data' }],
            success: (answer) => e.handle.send({ message: { request: 'ack' }, jsep: answer }),
          });
      });
      entry.handle.send({ message: { request: 'setup' } });
      while (!T.state(me).dataOpen) await T.sleep(10);
      // Sends a request; gives its answer.
      window.textAsk = async (textroom, more) => {
        const transaction = `${Math.random()}`;
        await T.say(me, JSON.stringify({ textroom, transaction, room: 1234, ...more }));
        for (;;) {
          const answer = T.state(me).data.map((d) => JSON.parse(d)).find((d) => d.transaction === transaction);
          if (answer) return answer;
          await T.sleep(10);
        }
      };
    }, [name, TEXT]);
  }
  const [ann, ben] = pages;
  const heard = (page, name) => page.evaluate((me) => T.state(me).data.map((d) => JSON.parse(d)), name);

  assert.deepEqual((await ann.evaluate(() => textAsk('join', { username: 'ann' }))).participants, []);
  assert.equal((await ann.evaluate(() => textAsk('message', { text: 'first' }))).textroom, 'success');
  assert.deepEqual((await ben.evaluate(() => textAsk('join', { username: 'ben' }))).participants, [{ username: 'ann' }]);
  assert.deepEqual((await heard(ben, 'ben')).map((d) => d.textroom), ['message', 'join', 'success']);
  const whisper = await ben.evaluate(() => textAsk('message', { text: 'psst', to: 'ann' }));
  assert.deepEqual(whisper.sent, { ann: true });
  await ann.evaluate(async () => {
    while (!T.state('ann').data.some((d) => JSON.parse(d).whisper)) await T.sleep(10);
  });
  assert.equal((await ann.evaluate(() => textAsk('kick', { username: 'ben' }))).textroom, 'success');
  await ben.evaluate(async () => {
    while (!T.state('ben').data.some((d) => JSON.parse(d).textroom === 'kicked')) await T.sleep(10);
  });
});
