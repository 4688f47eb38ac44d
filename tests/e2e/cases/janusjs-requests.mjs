// Every request of the four plugins, and every event of VideoRoom, through the unmodified janus.js.

import assert from 'node:assert/strict';
import { assertAll } from '../lib/coverage.mjs';
import { test } from '../lib/runner.mjs';

const CHROMIUM = { variants: [['chromium', 'lite']], browsers: ['chromium'], tags: ['asan'] };
const BOTH = { variants: [['chromium', 'lite'], ['firefox', 'lite']], tags: ['asan'] };
const VIDEOROOM = [
  'create', 'edit', 'destroy', 'exists', 'list', 'listparticipants', 'allowed', 'kick', 'moderate', 'enable_recording',
  'rtp_forward', 'stop_rtp_forward', 'listforwarders', 'publish_remotely', 'unpublish_remotely', 'listremotes',
  'add_remote_publisher', 'update_remote_publisher', 'remove_remote_publisher',
  'join', 'joinandconfigure', 'publish', 'configure', 'unpublish', 'leave',
  'start', 'pause', 'subscribe', 'unsubscribe', 'update', 'switch',
];
// What a member of a room is told without having asked; names and metadata come with others, too.
const VIDEOROOM_EVENTS = [
  'joining', 'publishers', 'talking', 'stopped-talking', 'moderation', 'unpublished', 'leaving', 'kicked', 'destroyed',
  'display', 'metadata',
];
const TEXTROOM = [
  'setup', 'ack', 'restart', 'list', 'listparticipants', 'exists', 'create', 'edit', 'announcement', 'allowed', 'kick',
  'destroy', 'join', 'leave', 'message',
];
const VIDEOCALL = ['list', 'register', 'call', 'accept', 'set', 'hangup'];

async function enter(t, server) {
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  return page;
}

const requestsOf = async (page, plugin) => new Set((await page.evaluate(() => T.coverage())).requests[plugin]);

// Asks in @page; @want: a member of the answer, or what it shall equal.
async function ask(page, name, message, want, jsep) {
  const key = typeof want === 'string' ? want : Object.keys(want)[0];
  const answer = await page.evaluate(([n, m, k, v, j]) =>
    T.ask(n, m, (e) => (v === undefined ? e[k] !== undefined : e[k] === v), j),
  [name, message, key, typeof want === 'string' ? undefined : want[key], jsep]);
  const told = Object.fromEntries(Object.keys(typeof want === 'string' ? {} : want).map((k) => [k, answer[k]]));
  assert.deepEqual(told, typeof want === 'string' ? {} : want, `${JSON.stringify(message)} -> ${JSON.stringify(answer)}`);
  return answer;
}

// The member that names an event of VideoRoom.
const kindOf = (e) => (e.videoroom === 'event' ? VIDEOROOM_EVENTS.find((kind) => e[kind] !== undefined) : e.videoroom);

// Where there is no sound card Firefox has no tones, and nobody talks.
test('janus.js: every request and event of VideoRoom', CHROMIUM, async (t) => {
  const server = await t.server();
  const page = await enter(t, server);
  const room = 600;
  const mine = { room, secret: 's' };
  const ROOM = 'janus.plugin.videoroom';
  const attach = (name) => page.evaluate(([n, p]) =>
    T.attach(n, p, (entry, data, jsep) => jsep && T.accept(n, jsep)), [name, ROOM]);
  for (const name of ['m', 'watch', 'a', 'b']) await attach(name);
  const say = (message, want, jsep) => ask(page, 'm', message, want, jsep);

  await say({ request: 'create', ...mine, publishers: 6, notify_joining: true, audiolevel_event: true,
    audio_active_packets: 5, audio_level_average: 126 }, { videoroom: 'created', room, permanent: false });
  await say({ request: 'edit', ...mine, new_description: 'Ours' }, { videoroom: 'edited', room, permanent: false });
  await say({ request: 'exists', room }, { videoroom: 'success', room, exists: true });
  const { list } = await say({ request: 'list' }, { videoroom: 'success' });
  assert.equal(list.find((r) => r.room === room).description, 'Ours');
  await say({ request: 'allowed', ...mine, action: 'add', allowed: ['x'] }, { videoroom: 'success', room, allowed: ['x'] });
  await say({ request: 'allowed', ...mine, action: 'disable' }, { videoroom: 'success', room, allowed: [] });
  await say({ request: 'enable_recording', ...mine, record: true }, { error_code: 499 });

  // Two publish, a third hears of it.
  await ask(page, 'watch', { request: 'join', ptype: 'publisher', room, id: 9 }, { videoroom: 'joined', id: 9, publishers: [] });
  await ask(page, 'a', { request: 'join', ptype: 'publisher', room, id: 1, display: 'A', metadata: { k: 1 } },
    { videoroom: 'joined', id: 1 });
  const offer = (name) => page.evaluate((n) =>
    T.offer(n, [{ type: 'audio', capture: T.tone() }, { type: 'video', capture: true }]), name);
  await ask(page, 'a', { request: 'publish', audio: true, video: true },
    { configured: 'ok', audio_codec: 'opus', video_codec: 'vp8' }, await offer('a'));
  await ask(page, 'b', { request: 'joinandconfigure', ptype: 'publisher', room, id: 2, display: 'B' },
    { videoroom: 'joined', id: 2 }, await offer('b'));
  await page.waitFor(() => T.state('a').up && T.state('b').up);
  await ask(page, 'a', { request: 'configure', display: 'AA', metadata: { k: 2 }, bitrate: 300000, keyframe: true }, { configured: 'ok' });
  const { participants } = await say({ request: 'listparticipants', room }, { videoroom: 'participants' });
  assert.deepEqual(participants.map((p) => [p.id, p.display, p.publisher]), [[9, undefined, false], [1, 'AA', true], [2, 'B', true]]);
  await say({ request: 'moderate', ...mine, id: 2, mid: '1', mute: true }, { videoroom: 'success' });
  await say({ request: 'moderate', ...mine, id: 2, mid: '1', mute: false }, { videoroom: 'success' });

  // Somebody watches.
  await page.evaluate((r) => T.watchOnly('s', { feed: 1 }, { room: r }), room);
  const settled = () => page.waitFor(() => {
    const { events } = T.state('s');
    const offers = events.filter((e) => e.videoroom === 'attached' || (e.videoroom === 'updated' && e.streams)).length;
    return events.filter((e) => e.started).length >= offers;
  });
  const sub = async (message, want) => {
    await settled();
    return ask(page, 's', message, want);
  };
  await page.evaluate(() => T.seesMotion('s', '1'));
  assert.equal((await sub({ request: 'subscribe', streams: [{ feed: 2, mid: '1' }] }, { videoroom: 'updated', room })).streams.length, 3);
  await page.evaluate(() => T.seesMotion('s', '2'));
  await sub({ request: 'unsubscribe', streams: [{ feed: 2 }] }, { videoroom: 'updated', room });
  await sub({ request: 'update', subscribe: [{ feed: 2, mid: '0' }], unsubscribe: [{ sub_mid: '0' }] }, { videoroom: 'updated', room });
  const { streams } = await sub({ request: 'switch', streams: [{ feed: 2, mid: '1', sub_mid: '1' }] }, { switched: 'ok', changes: 1 });
  assert.equal(streams[1].feed_id, 2);
  await page.evaluate(() => T.seesMotion('s', '1'));
  await sub({ request: 'pause' }, { paused: 'ok', room });
  await ask(page, 's', { request: 'start' }, { started: 'ok', room });
  await sub({ request: 'configure', streams: [{ mid: '1', send: true }] }, { configured: 'ok', room });

  // To other servers and from them.
  const to = { ...mine, publisher_id: 1, host: '127.0.0.1' };
  const { forwarders } = await say({ request: 'rtp_forward', ...to, streams: [{ mid: '0', port: 9 }] },
    { videoroom: 'rtp_forward', room, publisher_id: 1 });
  const { stream_id } = forwarders[0];
  assert.equal((await say({ request: 'listforwarders', ...mine }, { videoroom: 'forwarders', room })).publishers[0].forwarders.length, 1);
  await say({ request: 'stop_rtp_forward', ...mine, publisher_id: 1, stream_id },
    { videoroom: 'stop_rtp_forward', stream_id });
  await say({ request: 'publish_remotely', ...to, remote_id: 'r', port: 9 }, { videoroom: 'success', room, id: 1, remote_id: 'r' });
  assert.equal((await say({ request: 'listremotes', ...mine, publisher_id: 1 }, { videoroom: 'success', room, id: 1 })).list[0].remote_id, 'r');
  await say({ request: 'unpublish_remotely', ...mine, publisher_id: 1, remote_id: 'r' }, { videoroom: 'success', room, id: 1 });
  const remote = { mid: '0', mindex: 0, type: 'video', codec: 'vp8' };
  await say({ request: 'add_remote_publisher', ...mine, id: 3, display: 'C', streams: [remote] },
    { videoroom: 'success', room, id: 3 });
  await say({ request: 'update_remote_publisher', ...mine, id: 3, streams: [{ ...remote, description: 'd' }] },
    { videoroom: 'success' });
  await say({ request: 'remove_remote_publisher', ...mine, id: 3 }, { videoroom: 'success' });

  // Silent, and gone.
  const heard = (what) => page.waitFor((k) => T.state('watch').events.some((e) => e.videoroom === k && e.id === 1), what);
  await heard('talking');
  await page.evaluate(() => T.handle('a').muteAudio());
  await heard('stopped-talking');
  await ask(page, 's', { request: 'leave' }, { left: 'ok', room });
  await ask(page, 'a', { request: 'unpublish' }, { unpublished: 'ok', room });
  await ask(page, 'a', { request: 'leave' }, { leaving: 'ok', room });
  await say({ request: 'kick', ...mine, id: 2 }, { videoroom: 'success' });
  await say({ request: 'destroy', ...mine }, { videoroom: 'destroyed', room, permanent: false });
  await page.waitFor(() => T.state('watch').events.some((e) => e.videoroom === 'destroyed'));

  const { events } = await page.evaluate(() => T.state('watch'));
  assertAll('requests', VIDEOROOM, await requestsOf(page, ROOM));
  assertAll('events', VIDEOROOM_EVENTS, new Set(events.slice(1).map(kindOf)));
  const order = events.map((e) => (e.unpublished === 1 && 'unpublished') || (e.leaving === 1 && 'leaving')).filter(Boolean);
  assert.deepEqual(order, ['unpublished', 'leaving']);
});

test('janus.js: every request of TextRoom, on both paths', BOTH, async (t) => {
  const server = await t.server();
  const page = await enter(t, server);
  const room = 700;
  const mine = { room, secret: 's' };
  const TEXT = 'janus.plugin.textroom';
  await page.evaluate((plugin) => T.attach('x', plugin, async (entry, data, jsep) => {
    if (jsep) T.ask('x', { request: 'ack' }, (e) => e.result === 'ok', await T.answer('x', { jsep, tracks: [{ type: 'data' }] }));
  }), TEXT);
  await ask(page, 'x', { request: 'setup' }, { result: 'ok' });
  await page.waitFor(() => T.state('x').dataOpen);
  await ask(page, 'x', { request: 'restart' }, { result: 'ok' });
  await page.waitFor(() => T.state('x').events.filter((e) => e.result === 'ok').length === 4);

  const byApi = (message, want) => ask(page, 'x', message, want);
  // Over the data channel: the answer has the transaction.
  const byData = async (message, want) => {
    const answer = await page.evaluate(async ([m, plugin]) => {
      const transaction = `${Math.random()}`;
      T.noteRequest(plugin, m.textroom);
      await T.say('x', JSON.stringify({ ...m, transaction }));
      return T.until(`an answer to ${m.textroom}`, () =>
        T.state('x').data.map((d) => JSON.parse(d)).find((d) => d.transaction === transaction));
    }, [message, TEXT]);
    const told = Object.fromEntries(Object.keys(want).map((k) => [k, answer[k]]));
    assert.deepEqual(told, want, `${JSON.stringify(message)} -> ${JSON.stringify(answer)}`);
    return answer;
  };

  // The verbs that both paths have, by @key of the request; answers are named differently.
  const manage = async (send, key, named) => {
    await send({ [key]: 'create', ...mine, history: 2 }, { textroom: named('created'), room, permanent: false });
    await send({ [key]: 'edit', ...mine, new_description: 'Ours' }, { textroom: named('edited'), room, permanent: false });
    const { list } = await send({ [key]: 'list' }, { textroom: 'success' });
    assert.equal(list.find((r) => r.room === room).description, 'Ours');
    await send({ [key]: 'exists', room }, { textroom: 'success', room, exists: true });
    await send({ [key]: 'allowed', ...mine, action: 'add', allowed: ['k'] }, { textroom: 'success', room, allowed: ['k'] });
    await send({ [key]: 'allowed', ...mine, action: 'disable' }, { textroom: 'success', room, allowed: [] });
    await byData({ textroom: 'join', room, username: 'ann', display: 'Ann' }, { textroom: 'success', participants: [] });
    await byData({ textroom: 'message', room, text: 'hi' }, { textroom: 'success' });
    await send({ [key]: 'listparticipants', room }, { textroom: 'success', participants: [{ username: 'ann', display: 'Ann' }] });
    await send({ [key]: 'announcement', ...mine, text: 'hear' }, { textroom: 'success' });
    await byData({ textroom: 'leave', room }, { textroom: 'success' });
    await byData({ textroom: 'join', room, username: 'ben' }, { textroom: 'success' });
    await send({ [key]: 'kick', ...mine, username: 'ben' }, { textroom: 'success' });
    await byData({ textroom: 'join', room, username: 'cat' }, { textroom: 'success' });
    await send({ [key]: 'destroy', ...mine }, { textroom: named('destroyed'), room, permanent: false });
    await send({ [key]: 'kick', ...mine, username: 'ben' }, { textroom: 'error', error_code: 417 });
  };
  await manage(byApi, 'request', (name) => name);
  await manage(byData, 'textroom', () => 'success');
  assertAll('requests', TEXTROOM, await requestsOf(page, TEXT));

  // What both rounds told the member of the room, in order.
  const heard = (await page.evaluate(() => T.state('x').data)).map((d) => JSON.parse(d));
  const told = heard.filter((d) => !d.transaction).map((d) => d.textroom);
  const round = [
    'join', 'message', 'announcement', 'leave', 'message', 'announcement', 'join', 'kicked', 'message', 'announcement', 'join', 'destroyed',
  ];
  assert.deepEqual(told, [...round, ...round]);
});

test('janus.js: every request of VideoCall', BOTH, async (t) => {
  const server = await t.server();
  const page = await enter(t, server);
  const CALL = 'janus.plugin.videocall';
  const tracks = [{ type: 'audio', capture: true, recv: true }, { type: 'video', capture: true, recv: true }];
  for (const name of ['ann', 'ben'])
    await page.evaluate(([n, p]) => T.attach(n, p, (entry, data, jsep) => {
      if (jsep?.type === 'answer') return T.accept(n, jsep);
    }), [name, CALL]);
  const say = async (name, message, result, jsep) => {
    const event = await page.evaluate(([n, m, k, j]) => T.ask(n, m, (e) => (k ? e.result?.event === k : e.result?.list), j),
      [name, message, result.event, jsep]);
    assert.deepEqual(event.result, result, JSON.stringify(event));
  };
  const told = (name, event) =>
    page.waitFor(([n, k]) => T.state(n).events.find((e) => e.result?.event === k)?.result, [name, event]);

  await say('ann', { request: 'register', username: 'ann' }, { event: 'registered', username: 'ann' });
  await say('ben', { request: 'register', username: 'ben' }, { event: 'registered', username: 'ben' });
  await say('ann', { request: 'list' }, { list: ['ann', 'ben'] });
  const offer = await page.evaluate((k) => T.offer('ann', k), tracks);
  await say('ann', { request: 'call', username: 'ben' }, { event: 'calling' }, offer);
  assert.deepEqual(await told('ben', 'incomingcall'), { event: 'incomingcall', username: 'ann' });
  const answer = await page.evaluate((k) => T.answer('ben', { jsep: T.lastJsep('ben'), tracks: k }), tracks);
  await say('ben', { request: 'accept' }, { event: 'accepted' }, answer);
  assert.deepEqual(await told('ann', 'accepted'), { event: 'accepted', username: 'ben' });
  await page.evaluate(() => T.seesMotion('ann', '1'));
  await page.evaluate(() => T.seesMotion('ben', '1'));
  await say('ann', { request: 'set', audio: true, video: true, bitrate: 200000 }, { event: 'set' });
  const again = await page.evaluate(() => T.offer('ann', undefined, true));
  await say('ann', { request: 'set', restart: true }, { event: 'set' }, again);
  await told('ben', 'update');
  await page.evaluate(async () => {
    const jsep = T.lastJsep('ben');
    await T.ask('ben', { request: 'set' }, (e) => e.result?.event === 'set', await T.answer('ben', { jsep }));
  });
  await told('ann', 'update');
  await page.evaluate(() => T.seesMotion('ben', '1'));
  await say('ben', { request: 'hangup', reason: 'bye' }, { event: 'hangup', username: 'ben', reason: 'Explicit hangup' });
  assert.deepEqual(await told('ann', 'hangup'), { event: 'hangup', username: 'ben', reason: 'bye' });
  assertAll('requests', VIDEOCALL, await requestsOf(page, CALL));
});
