// VideoCall between two pages, and TextRoom over data channels, with the unmodified janus.js.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';

const CALL = 'janus.plugin.videocall';
const TEXT = 'janus.plugin.textroom';
const VARIANTS = [['chromium', 'lite'], ['chromium', 'full']];

// A page whose user is registered; whoever calls it is answered.
async function user(t, server, name) {
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(async ([me, plugin]) => {
    const tracks = [
      { type: 'audio', capture: true, recv: true },
      { type: 'video', capture: true, recv: true },
      { type: 'data' },
    ];
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
  }, [name, CALL]);
  await page.evaluate((me) => T.ask(me, { request: 'register', username: me }, (e) => e.result?.event === 'registered'),
    name);
  return page;
}

const until = (page, name, what) =>
  page.evaluate(async ([me, event]) => {
    for (let i = 0; i < 1500; i++) {
      const found = T.state(me).events.find((e) => e.result?.event === event);
      if (found) return found.result;
      await T.sleep(10);
    }
    throw new Error(`no ${event}; had ${JSON.stringify(T.state(me).events)}`);
  }, [name, what]);

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
