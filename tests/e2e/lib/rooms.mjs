// Rooms with settings of their own, and a page that publishes into one and watches what it sends.

import assert from 'node:assert/strict';
import { WsClient } from './protocol.mjs';

let lastRoom = 5000;

export async function createRoom(server, settings, room = ++lastRoom) {
  const client = await WsClient.open(server.ws);
  const session = await client.create();
  const handle = await client.attach(session, 'janus.plugin.videoroom');
  const done = await client.message(session, handle, { request: 'create', room, publishers: 10, bitrate: 0, ...settings });
  assert.equal(done.videoroom, 'created', JSON.stringify(done));
  await client.close();
  return room;
}

// In @page: `pub<room>` publishes, `sub<room>` gets all of it. The mids of the subscriber, by kind.
export async function publishAndWatch(page, room, options) {
  const pub = `pub${room}`;
  const sub = `sub${room}`;
  const feed = await page.evaluate(([n, o]) => T.join(n, o), [pub, { room, watch: false, ...options }]);
  await page.evaluate(([n, f, r]) => T.watchOnly(n, { feed: f }, { room: r }), [sub, feed, room]);
  const audio = options.audio === false ? undefined : (await page.evaluate((n) => T.midsOf(n, undefined, 'audio'), sub))[0];
  const [video] = await page.evaluate((n) => T.midsOf(n), sub);
  return { pub, sub, audio, video };
}

export async function leave(page, who) {
  await page.evaluate((n) => T.detach(n), who.sub);
  await page.evaluate((n) => T.detach(n), who.pub);
}

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
