// The unmodified janode signals from Node; pages have nothing but the peer connections.

import assert from 'node:assert/strict';
import Janode from 'janode';
import EchoTestPlugin from 'janode/plugins/echotest';
import VideoRoomPlugin from 'janode/plugins/videoroom';
import { test } from '../lib/runner.mjs';

Janode.Logger.setLevel?.('none');

async function connect(t, server) {
  const connection = await Janode.connect({ address: { url: server.ws } });
  t.onClose(() => connection.close().catch(() => {}));
  return connection.create();
}

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));

test('janode: echo', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  const session = await connect(t, server);
  const echo = await session.attach(EchoTestPlugin);
  const up = once(echo, Janode.EVENT.HANDLE_WEBRTCUP);
  const jsep = await page.evaluate(() => T.bareOffer('e'));
  const reply = await echo.start({ audio: true, video: true, jsep });
  assert.equal(reply.jsep.type, 'answer');
  await page.evaluate((answer) => T.bareAccept('e', answer), reply.jsep);
  await up;
  await page.evaluate(() => T.seesMotion('e', '1'));
  const hangup = once(echo, Janode.EVENT.HANDLE_HANGUP);
  await echo.hangup();
  await hangup;
  await echo.detach();
  await session.destroy();
});

test('janode: room', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  const { VIDEOROOM_PUB_LIST, VIDEOROOM_LEAVING, VIDEOROOM_UNPUBLISHED, VIDEOROOM_DISPLAY } = VideoRoomPlugin.EVENT;
  const a = await connect(t, server);
  const b = await connect(t, server);
  const alice = await a.attach(VideoRoomPlugin);
  const bob = await b.attach(VideoRoomPlugin);

  const { room } = await alice.create({ room: 5555, description: 'janode', max_publishers: 4 });
  assert.equal(room, 5555);
  assert.equal((await alice.exists({ room })).exists, true);
  assert.ok((await alice.list()).list.some((r) => r.room === 5555));
  const joined = await alice.joinPublisher({ room, display: 'Alice' });
  assert.deepEqual(joined.publishers, []);
  assert.ok((await bob.joinPublisher({ room, display: 'Bob' })).private_id);

  const listed = once(bob, VIDEOROOM_PUB_LIST);
  const offer = await page.evaluate(() => T.bareOffer('a', { recv: false }));
  const published = await alice.publish({ audio: true, video: true, jsep: offer });
  await page.evaluate((answer) => T.bareAccept('a', answer), published.jsep);
  const { publishers } = await listed;
  assert.equal(publishers[0].feed, joined.feed);
  assert.equal(publishers[0].streams.length, 2);
  assert.equal((await alice.listParticipants({ room })).participants.length, 2);

  const watcher = await b.attach(VideoRoomPlugin);
  const attached = await watcher.joinSubscriber({ room, streams: [{ feed: joined.feed }] });
  assert.equal(attached.jsep.type, 'offer');
  const answer = await page.evaluate((jsep) => T.bareAnswer('b', jsep), attached.jsep);
  await watcher.start({ jsep: answer });
  await page.evaluate(() => T.seesMotion('b', '1'));

  await watcher.configure({ streams: [{ mid: '1', send: false }] });
  await watcher.pause();
  await watcher.start({});
  await watcher.configure({ streams: [{ mid: '1', send: true }] });
  const less = await watcher.update({ unsubscribe: [{ feed: joined.feed, mid: '0' }] });
  const answer2 = await page.evaluate((jsep) => T.bareAnswer('b', jsep), less.jsep);
  await watcher.start({ jsep: answer2 });
  await page.evaluate(() => T.seesMotion('b', '1'));

  const renamed = once(bob, VIDEOROOM_DISPLAY);
  await alice.configure({ display: 'Alicia' });
  assert.equal((await renamed).display, 'Alicia');
  const unpublished = once(bob, VIDEOROOM_UNPUBLISHED);
  await alice.unpublish();
  assert.equal((await unpublished).feed, joined.feed);
  const left = once(bob, VIDEOROOM_LEAVING);
  await alice.leave();
  assert.equal((await left).feed, joined.feed);
  await assert.rejects(alice.leave(), /426/);
  await bob.destroy({ room });
  await a.destroy();
  await b.destroy();
});
