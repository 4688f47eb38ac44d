// Every method and event of the unmodified janode: its core, EchoTest and TextRoom. VideoRoom is in
// janode-room.mjs. It signals from Node; pages have nothing but the peer connections.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Janode from 'janode';
import EchoTestPlugin from 'janode/plugins/echotest';
import TextRoomPlugin from 'janode/plugins/textroom';
import { Coverage, methodsOf } from '../lib/coverage.mjs';
import { connect, next, Peers } from '../lib/janode.mjs';
import { LossyPath } from '../lib/lossy.mjs';
import { test } from '../lib/runner.mjs';

const { EVENT } = Janode;

const FOR_PLUGINS = 'what plugins of the package are made of';
const NOT_FOR_USERS = {
  decorateRequest: FOR_PLUGINS,
  handleMessage: FOR_PLUGINS,
  ownsTransaction: FOR_PLUGINS,
  closeTransactionWithError: FOR_PLUGINS,
  closeTransactionWithSuccess: FOR_PLUGINS,
};

test('janode: every method of a handle, and of EchoTest', {}, async (t) => {
  const server = await t.server({ media: { slowlink_threshold: 1 } });
  const path = new LossyPath();
  t.onClose(() => path.stop());
  const peers = new Peers(await t.client(), path);
  const session = await (await connect(t, server)).create();
  const { ECHOTEST_RESULT, ECHOTEST_SLOWLINK } = EchoTestPlugin.EVENT;
  const seen = new Coverage();
  const raw = await session.attach(EchoTestPlugin);
  const echo = seen.watch(raw, [...Object.values(EchoTestPlugin.EVENT), EVENT.HANDLE_DETACHED, EVENT.HANDLE_HANGUP,
    EVENT.HANDLE_MEDIA, EVENT.HANDLE_WEBRTCUP, EVENT.HANDLE_SLOWLINK, EVENT.HANDLE_TRICKLE, EVENT.HANDLE_ICE_FAILED]);

  const up = next(raw, EVENT.HANDLE_WEBRTCUP);
  const receiving = next(raw, EVENT.HANDLE_MEDIA, (m) => m.type === 'video' && m.receiving);
  const reply = await echo.start({ audio: true, video: true, bitrate: 300000, jsep: await peers.offer('e') });
  assert.equal(reply.result, 'ok');
  assert.equal(reply.jsep.type, 'answer');
  await peers.accept('e', reply.jsep);
  const candidate = { sdpMid: '0', sdpMLineIndex: 0, candidate: 'candidate:1 1 udp 1 127.0.0.1 9 typ host' };
  assert.equal((await echo.trickle(candidate)).janus, 'ack');
  assert.equal((await echo.trickle([candidate, { ...candidate, sdpMid: '1', sdpMLineIndex: 1 }])).janus, 'ack');
  assert.equal((await echo.trickleComplete()).janus, 'ack');
  await up;
  assert.equal((await receiving).mid, '1');
  await peers.seesMotion('e');
  await assert.rejects(echo.message({ record: true }), /413 .*recording is not available/);
  assert.equal((await echo.message({ video: true })).plugindata.data.result, 'ok');
  const ack = await echo.sendRequest({ janus: 'trickle', candidate: { completed: true } });
  assert.equal(ack.janus, 'ack');

  path.beBad(true);
  const slow = next(raw, ECHOTEST_SLOWLINK, (m) => m.media === 'video');
  const link = await next(raw, EVENT.HANDLE_SLOWLINK, (m) => m.mid === '1' && !m.uplink);
  assert.ok(link.media === 'video' && link.lost > 0, JSON.stringify(link));
  await slow;
  path.beBad(false);

  const done = next(raw, ECHOTEST_RESULT, (m) => m.result === 'done');
  const down = next(raw, EVENT.HANDLE_HANGUP);
  assert.equal((await echo.hangup()).janus, 'success');
  await done;
  assert.equal(typeof (await down).reason, 'string');

  const detached = next(raw, EVENT.HANDLE_DETACHED);
  await echo.detach();
  await detached;

  const base = Object.getPrototypeOf(EchoTestPlugin.Handle.prototype);
  seen.assertCalled([...new Set([...methodsOf(EchoTestPlugin.Handle.prototype), ...methodsOf(base)])], NOT_FOR_USERS);
  seen.assertCame([...Object.values(EchoTestPlugin.EVENT), ...Object.values(EVENT).filter((e) => e.startsWith('handle_'))], {
    [EchoTestPlugin.EVENT.ECHOTEST_ERROR]: 'errors answer a request',
    [EVENT.HANDLE_ICE_FAILED]: 'a test of its own, since it takes 30 s',
    [EVENT.HANDLE_TRICKLE]: 'all candidates of the server are in its description',
  });
});

test('janode: silence ends a connection', { tags: ['long'] }, async (t) => {
  const server = await t.server({ media: { ice_grace: 1 } });
  const path = new LossyPath();
  t.onClose(() => path.stop());
  const peers = new Peers(await t.client(), path);
  const session = await (await connect(t, server)).create();
  const echo = await session.attach(EchoTestPlugin);
  const up = next(echo, EVENT.HANDLE_WEBRTCUP);
  const { jsep } = await echo.start({ audio: true, video: true, jsep: await peers.offer('e') });
  await peers.accept('e', jsep);
  await up;
  path.lose = 1;
  const hangup = next(echo, EVENT.HANDLE_HANGUP, undefined, 60000);
  await next(echo, EVENT.HANDLE_ICE_FAILED, undefined, 60000);
  assert.equal((await hangup).reason, 'ICE failed');
});

test('janode: every method of connections and sessions', {}, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-e2e-'));
  t.onClose(() => fs.rmSync(folder, { recursive: true }));
  const server = await t.server({ general: { session_timeout: 3 },
    admin: { enabled: 'yes', secret: 's', capture_dir: folder } });
  const seen = new Coverage();
  const ofConnection = [EVENT.CONNECTION_CLOSED, EVENT.CONNECTION_ERROR];
  const rawConnection = await connect(t, server);
  const connection = seen.watch(rawConnection, ofConnection);
  assert.equal(connection.getRemoteHostname(), '127.0.0.1');
  const info = await connection.getInfo();
  assert.ok('janus.plugin.videoroom' in info.plugins);
  assert.equal((await connection.sendRequest({ janus: 'info' })).janus, 'server_info');

  const sessions = new Coverage();
  const raw = await connection.create(1); // a keepalive each second keeps it past its timeout
  const session = sessions.watch(raw, [EVENT.SESSION_DESTROYED]);
  const handle = await session.attach(EchoTestPlugin);
  await new Promise((resolve) => setTimeout(resolve, 4500));
  assert.equal((await handle.message({ audio: true })).plugindata.data.result, 'ok');
  assert.equal((await session.sendRequest({ janus: 'keepalive' })).janus, 'ack');
  await assert.rejects(session.attach({ id: 'janus.plugin.none' }), /460/);
  const gone = next(handle, EVENT.HANDLE_DETACHED);
  await session.destroy();
  await gone;
  const idle = await connection.create(60);
  await next(idle, EVENT.SESSION_DESTROYED);

  const admin = await Janode.connect({ is_admin: true, address: { url: server.admin, apisecret: 's' } });
  t.onClose(() => admin.close().catch(() => {}));
  const other = await connection.create(60);
  const asked = seen.watch(admin);
  assert.deepEqual((await asked.listSessions()).sessions, [other.id]);
  const echo = await other.attach(EchoTestPlugin);
  assert.deepEqual((await asked.listHandles(other.id)).handles, [echo.id]);
  const { info: dump } = await asked.handleInfo(other.id, echo.id);
  assert.equal(dump.plugin, 'janus.plugin.echotest');
  assert.equal(dump.flags.ready, false);
  assert.equal((await asked.startPcap(other.id, echo.id, folder, 'j.pcap', 64)).janus, 'success');
  await assert.rejects(asked.startPcap(other.id, echo.id, folder, 'j2.pcap'), /490 pcap already started/);
  assert.equal((await asked.stopPcap(other.id, echo.id)).janus, 'success');
  await assert.rejects(asked.startPcap(other.id, echo.id, '/', 'x'), /490 Captures go to/);
  await assert.rejects(asked.stopPcap(other.id, echo.id), /490 Capture not started/);
  assert.equal(fs.existsSync(path.join(folder, 'j.pcap')), true);

  const closed = next(rawConnection, EVENT.CONNECTION_CLOSED);
  await connection.close();
  await closed;
  const victim = await connect(t, server);
  seen.watch(victim, ofConnection);
  const error = next(victim, EVENT.CONNECTION_ERROR);
  await server.stop();
  await error;

  seen.assertCalled(methodsOf(Object.getPrototypeOf(rawConnection)), { open: 'connect() does' });
  sessions.assertCalled(methodsOf(Object.getPrototypeOf(raw)));
  seen.assertCame(ofConnection);
  sessions.assertCame([EVENT.SESSION_DESTROYED]);
});

test('janode: every method of TextRoom', { variants: [['chromium', 'lite']] }, async (t) => {
  const server = await t.server();
  const page = await t.client();
  const session = await (await connect(t, server)).create();
  const seen = new Coverage();
  const raw = await session.attach(TextRoomPlugin);
  const text = seen.watch(raw, Object.values(TextRoomPlugin.EVENT));

  const created = await text.create({ room: 77, description: 'Text', secret: 's', pin: 'p', history: 3, is_private: false, permanent: false });
  assert.deepEqual([created.room, created.permanent], [77, false]);
  assert.deepEqual(await text.exists({ room: 77 }), { room: 77, exists: true });
  const { list } = await text.list({});
  assert.deepEqual(list.find((r) => r.room === 77),
    { room: 77, description: 'Text', pin_required: true, num_participants: 0, history: 3 });
  assert.deepEqual((await text.allow({ room: 77, secret: 's', action: 'enable' })).list, []);
  assert.deepEqual((await text.allow({ room: 77, secret: 's', action: 'add', list: ['a', 'b'] })).list, ['a', 'b']);
  assert.deepEqual((await text.allow({ room: 77, secret: 's', action: 'remove', list: ['a'] })).list, ['b']);
  assert.deepEqual((await text.allow({ room: 77, secret: 's', action: 'disable' })).list, []);

  const up = next(raw, EVENT.HANDLE_WEBRTCUP);
  const { jsep } = await text.setup();
  await page.evaluate(() => T.bareDataConnection('t'));
  const answer = await page.evaluate((j) => T.bareAnswer('t', j), jsep);
  assert.equal((await text.ack(answer)).jsep, undefined);
  await up;
  const ask = (message) => page.evaluate((m) => T.bareAsk('t', m), { room: 77, transaction: 'x', ...message });
  const heard = (verb) => page.waitFor((v) => T.bareHeard('t').find((m) => m.textroom === v), verb);
  assert.equal((await ask({ textroom: 'join', username: 'ann', pin: 'p' })).textroom, 'success');
  assert.deepEqual((await text.listParticipants({ room: 77 })).participants, [{ username: 'ann' }]);
  await text.announcement({ room: 77, secret: 's', text: 'hear' });
  assert.equal((await heard('announcement')).text, 'hear');

  const again = await text.restart();
  assert.notEqual(/ice-ufrag:(\S+)/.exec(again.jsep.sdp)[1], /ice-ufrag:(\S+)/.exec(jsep.sdp)[1]);
  await text.ack(await page.evaluate((j) => T.bareAnswer('t', j), again.jsep));
  assert.equal((await ask({ textroom: 'message', text: 'hi', transaction: 'y' })).textroom, 'success');

  assert.deepEqual(await text.kick({ room: 77, secret: 's', username: 'ann' }), { room: 77, username: 'ann' });
  assert.equal((await heard('kicked')).username, 'ann');
  await assert.rejects(text.kick({ room: 77, secret: 's', username: 'ann' }));
  assert.deepEqual(await text.destroy({ room: 77, secret: 's', permanent: false }), { room: 77, permanent: false });
  assert.equal((await text.exists({ room: 77 })).exists, false);
  // 416, in an event of the word "error", as the reference server says it: janode does not know that.
  await assert.rejects(text.setup(), /unmanaged event/);

  seen.assertCalled(methodsOf(TextRoomPlugin.Handle.prototype), { handleMessage: FOR_PLUGINS });
  seen.assertCame(Object.values(TextRoomPlugin.EVENT), { [TextRoomPlugin.EVENT.TEXTROOM_ERROR]: 'errors answer a request' });
});
