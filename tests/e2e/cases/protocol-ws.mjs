// The session protocol over WebSocket, without media.

import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import { median } from '../lib/rooms.mjs';
import { test } from '../lib/runner.mjs';
import { transaction, WsClient } from '../lib/protocol.mjs';
import { until } from '../lib/until.mjs';

const ECHO = 'janus.plugin.echotest';
const ROOM = 'janus.plugin.videoroom';
const tags = ['asan'];

const isId = (v) => Number.isInteger(v) && v > 0 && v <= Number.MAX_SAFE_INTEGER;

for (const [name, url] of [['port 8188', 'ws'], ['the HTTP port', 'wsUpgrade']]) {
  test(`a session over WebSocket on ${name}`, { tags }, async (t) => {
    const server = await t.server();
    const c = await WsClient.open(server[url]);
    assert.equal(c.socket.protocol, 'janus-protocol');

    const created = await c.request({ janus: 'create', transaction: 'abc' });
    assert.deepEqual(Object.keys(created).sort(), ['data', 'janus', 'transaction']);
    assert.equal(created.transaction, 'abc');
    assert.ok(isId(created.data.id));
    const session_id = created.data.id;

    const attached = await c.request({ janus: 'attach', session_id, plugin: ECHO, opaque_id: 'x', transaction: 'abc' });
    assert.deepEqual(Object.keys(attached).sort(), ['data', 'janus', 'session_id', 'transaction']);
    assert.equal(attached.session_id, session_id);
    assert.ok(isId(attached.data.id));
    const handle_id = attached.data.id;

    assert.deepEqual(await c.request({ janus: 'keepalive', session_id, transaction: 'k' }),
      { janus: 'ack', session_id, transaction: 'k' });
    assert.deepEqual(await c.request({ janus: 'detach', session_id, handle_id, transaction: 'd' }),
      { janus: 'success', session_id, transaction: 'd' });
    assert.deepEqual(await c.next((m) => m.janus === 'detached'),
      { janus: 'detached', session_id, sender: handle_id });
    assert.deepEqual(await c.request({ janus: 'destroy', session_id, transaction: 'e' }),
      { janus: 'success', session_id, transaction: 'e' });
    const gone = await c.request({ janus: 'keepalive', session_id });
    assert.equal(gone.error.code, 458);
    await c.close();
  });
}

test('info and ping over WebSocket', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  assert.deepEqual(await c.request({ janus: 'ping', transaction: 'p' }), { janus: 'pong', transaction: 'p' });
  const info = await c.request({ janus: 'info' });
  assert.equal(info.janus, 'server_info');
  assert.ok(info.plugins[ECHO], 'EchoTest is listed');
  assert.ok(info.plugins[ROOM], 'VideoRoom is listed');
  assert.ok(Number.isInteger(info.version) && info.version_string && info.name);
  await c.close();
});

test('errors of the core name code and reason', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  const session_id = await c.create();
  const handle_id = await c.attach(session_id, ECHO);
  const cases = [
    [{ janus: 'keepalive' }, 457],
    [{ janus: 'what' }, 457],
    [{ janus: 'what', session_id }, 453],
    [{ janus: 'keepalive', session_id: 1 }, 458],
    [{ janus: 'detach', session_id, handle_id: 1 }, 459],
    [{ janus: 'attach', session_id }, 456],
    [{ janus: 'attach', session_id, plugin: 5 }, 467],
    [{ janus: 'attach', session_id, plugin: 'janus.plugin.none' }, 460],
    [{ janus: 'destroy', session_id, handle_id }, 457],
    [{ janus: 'message', session_id, handle_id }, 456],
    [{ janus: 'message', session_id, handle_id, body: 'x' }, 467],
    [{ janus: 'message', session_id, handle_id, body: {}, jsep: 'x' }, 455],
    [{ janus: 'message', session_id, handle_id, body: {}, jsep: { sdp: 'x' } }, 456],
    [{ janus: 'message', session_id, handle_id, body: {}, jsep: { type: 'pranswer', sdp: 'x' } }, 464],
    [{ janus: 'message', session_id, handle_id, body: {}, jsep: { type: 'offer', sdp: 'x' } }, 465],
    [{ janus: 'trickle', session_id, handle_id }, 456],
    [{ janus: 'trickle', session_id, handle_id, candidate: {}, candidates: [] }, 454],
    [{ janus: 'trickle', session_id, handle_id, candidate: { candidate: 'x' } }, 456],
    [{ janus: 'trickle', session_id, handle_id, candidate: { candidate: 'x', sdpMid: 0 } }, 467],
    [{ janus: 'create', id: session_id }, 468],
  ];
  for (const [message, code] of cases) {
    const reply = await c.request(message);
    const what = `${JSON.stringify(message)} -> ${JSON.stringify(reply)}`;
    assert.equal(reply.janus, 'error', what);
    assert.equal(reply.error.code, code, what);
    assert.equal(typeof reply.error.reason, 'string', what);
  }
  assert.equal((await c.request({ janus: 'keepalive', session_id })).janus, 'ack', 'nothing has changed');
  await c.close();
});

test('messages that are no requests', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  for (const [text, code] of [['{', 454], ['{} nonsense', 454], ['{}', 456], ['{"janus":5,"transaction":"t"}', 467],
    ['{"janus":"ping"}', 456], ['{"janus":"ping","transaction":5}', 467]]) {
    c.sendRaw(text);
    const reply = await c.next();
    assert.equal(reply.error?.code, code, `${text} -> ${JSON.stringify(reply)}`);
  }
  c.sendRaw('{"janus":"ping","transaction":"1"} {"janus":"ping","transaction":"2"}');
  assert.equal((await c.next()).transaction, '1');
  assert.equal((await c.next()).transaction, '2');
  await c.close();
});

test('absent is what null is; unknown members are ignored', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  const session_id = await c.create({ apisecret: null, token: null, colour: 'red' });
  await c.attach(session_id, ECHO, { apisecret: null, opaque_id: null });
  await c.close();
});

test('one transaction for overlapping requests', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  const session_id = await c.create();
  const T = transaction();
  for (let i = 0; i < 5; i++) c.sendRaw(JSON.stringify({ janus: 'keepalive', session_id, transaction: T }));
  for (let i = 0; i < 5; i++) assert.deepEqual(await c.next(), { janus: 'ack', session_id, transaction: T });
  await c.close();
});

test('EchoTest acknowledges first, then answers', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  const session_id = await c.create();
  const handle_id = await c.attach(session_id, ECHO);
  c.sendRaw(JSON.stringify({ janus: 'message', session_id, handle_id, transaction: 'e', body: { audio: true } }));
  const ack = await c.next();
  assert.equal(ack.janus, 'ack');
  assert.equal(ack.transaction, 'e');
  const event = await c.next();
  assert.deepEqual(event, {
    janus: 'event', session_id, transaction: 'e', sender: handle_id,
    plugindata: { plugin: ECHO, data: { echotest: 'event', result: 'ok' } },
  });
  const bad = await c.message(session_id, handle_id, { audio: 'yes' });
  assert.equal(bad.echotest, 'event');
  assert.equal(bad.error_code, 413);
  assert.equal((await c.message(session_id, handle_id, {})).error_code, 413);
  await c.close();
});

test('an event does not wait for the acknowledgement of the ack', { tags, alone: true }, async (t) => {
  const server = await t.server();
  for (const url of [server.ws, server.wsUpgrade]) {
    const c = await WsClient.open(url);
    const session_id = await c.create();
    const handle_id = await c.attach(session_id, ECHO);
    const times = { ping: [], message: [] };
    const taken = async (list, work) => {
      const t0 = performance.now();
      await work();
      list.push(performance.now() - t0);
    };
    for (let i = 0; i < 21; i++) {
      await taken(times.ping, () => c.request({ janus: 'ping' }));
      await taken(times.message, () => c.message(session_id, handle_id, { audio: true }));
    }
    const [ping, message] = [median(times.ping), median(times.message)];
    // Nagle and delayed ack: 40 more. What a busy machine takes for a message is there for the other, too.
    assert.ok(message < 25 + 4 * ping, `half of them take ${message} ms or more, of pings ${ping} ms`);
    await c.close();
  }
});

test('VideoRoom: rooms are made, listed, edited and destroyed', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  const session_id = await c.create();
  const h = await c.attach(session_id, ROOM);
  const ask = (body) => c.message(session_id, h, body);

  assert.equal((await ask({ request: 'exists', room: 1234 })).exists, true, 'the room of the file');
  assert.deepEqual(await ask({ request: 'create', room: 77, secret: 's', description: 'Mine' }),
    { videoroom: 'created', room: 77, permanent: false, jsep: undefined });
  assert.equal((await ask({ request: 'create', room: 77 })).error_code, 427);
  assert.ok((await ask({ request: 'list' })).list.some((r) => r.room === 77 && r.description === 'Mine'));
  assert.equal((await ask({ request: 'edit', room: 77, new_description: 'x' })).error_code, 429);
  assert.equal((await ask({ request: 'edit', room: 77, secret: 'wrong', new_description: 'x' })).error_code, 433);
  assert.equal((await ask({ request: 'edit', room: 77, secret: 's', new_description: 'Ours' })).videoroom, 'edited');
  assert.deepEqual((await ask({ request: 'listparticipants', room: 77 })).participants, []);
  assert.equal((await ask({ request: 'destroy', room: 77, secret: 's' })).videoroom, 'destroyed');
  assert.equal((await ask({ request: 'exists', room: 77 })).exists, false);
  assert.equal((await ask({ request: 'nonsense' })).error_code, 423);
  assert.equal((await ask({ request: 'exists' })).error_code, 429);
  assert.equal((await ask({ request: 'exists', room: 'x' })).error_code, 430);
  await c.close();
});

test('VideoRoom: participants without media', { tags }, async (t) => {
  const server = await t.server();
  const a = await WsClient.open(server.ws);
  const b = await WsClient.open(server.ws);
  const sa = await a.create();
  const sb = await b.create();
  const ha = await a.attach(sa, ROOM);
  const hb = await b.attach(sb, ROOM);

  assert.equal((await a.message(sa, ha, { request: 'configure' })).error_code, 424);
  assert.equal((await a.message(sa, ha, { request: 'join', ptype: 'publisher', room: 9 })).error_code, 426);
  const joined = await a.message(sa, ha, { request: 'join', ptype: 'publisher', room: 1234, id: 1, display: 'A' });
  assert.equal(joined.videoroom, 'joined');
  assert.equal(joined.id, 1);
  assert.ok(Number.isInteger(joined.private_id));
  assert.deepEqual(joined.publishers, []);
  assert.equal((await b.message(sb, hb, { request: 'join', ptype: 'publisher', room: 1234, id: 1 })).error_code, 436);
  assert.equal((await b.message(sb, hb, { request: 'join', ptype: 'publisher', room: 1234, id: 2 })).videoroom, 'joined');
  assert.equal((await a.message(sa, ha, { request: 'unpublish' })).error_code, 435);
  const sub = await b.attach(sb, ROOM);
  assert.equal((await b.message(sb, sub, { request: 'join', ptype: 'subscriber', room: 1234, streams: [{ feed: 1 }] })).error_code, 428);

  await a.message(sa, ha, { request: 'configure', display: 'Alice' });
  const renamed = await b.next((m) => m.plugindata?.data.display === 'Alice');
  assert.equal(renamed.transaction, undefined);
  assert.equal(renamed.plugindata.data.id, 1);
  assert.equal((await a.message(sa, ha, { request: 'leave' })).leaving, 'ok');
  const left = await b.next((m) => m.plugindata?.data.leaving !== undefined);
  assert.equal(left.plugindata.data.leaving, 1);
  await a.close();
  await b.close();
});

// Each of these leaves the reference server's VideoRoom without answers until it is started again.
test('VideoRoom: descriptions in the wrong place', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  const session = await c.create();
  const answer = {
    type: 'answer',
    sdp: ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'c=IN IP4 0.0.0.0', 'a=mid:0', 'a=sendonly', 'a=rtcp-mux', 'a=ice-ufrag:abcd', 'a=ice-pwd:abcdefghijklmnopqrstuv',
      `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`, 'a=setup:active', 'a=rtpmap:111 opus/48000/2', '']
      .join('\r\n'),
  };
  const ask = (handle_id, body, jsep) => c.request({ janus: 'message', session_id: session, handle_id, body, jsep });

  const first = await c.attach(session, ROOM);
  const joined = await c.message(session, first, { request: 'join', ptype: 'publisher', room: 1234 });
  assert.equal(joined.videoroom, 'joined');
  assert.equal((await ask(first, { request: 'configure' }, answer)).error.code, 469);
  const second = await c.attach(session, ROOM);
  const both = { request: 'joinandconfigure', ptype: 'publisher', room: 1234 };
  assert.equal((await ask(second, both, answer)).error.code, 469);
  assert.equal((await c.message(session, second, { ...both, ptype: 'subscriber' })).error_code, 430);
  assert.equal((await c.message(session, second, both)).videoroom, 'joined');
  assert.equal((await c.message(session, first, { request: 'configure', display: 'A' })).configured, 'ok');
  assert.equal((await c.message(session, first, { request: 'listparticipants', room: 1234 })).participants.length, 2);
  await c.close();
});

test('claim moves a session to a new socket', { tags }, async (t) => {
  const server = await t.server();
  const a = await WsClient.open(server.ws);
  const session_id = await a.create();
  const handle_id = await a.attach(session_id, ECHO);
  await a.close();
  const b = await WsClient.open(server.ws);
  const claimed = await b.request({ janus: 'claim', session_id, transaction: 'c' });
  assert.deepEqual(claimed, { janus: 'success', session_id, transaction: 'c' });
  assert.equal((await b.message(session_id, handle_id, { video: false })).result, 'ok');
  await b.close();
});

test('a session whose socket is gone ends after the reclaim time', { tags }, async (t) => {
  const server = await t.server({ general: { reclaim_session_timeout: 1 }, admin: { enabled: 'yes', secret: 'adm' } });
  const a = await WsClient.open(server.ws);
  const session_id = await a.create();
  const admin = await WsClient.open(server.admin, 'janus-admin-protocol');
  const list = async () => (await admin.request({ janus: 'list_sessions', admin_secret: 'adm' })).sessions;
  assert.deepEqual(await list(), [session_id]);
  await a.close();
  await until('no session', async () => (await list()).length === 0, 10000);
  const b = await WsClient.open(server.ws);
  assert.equal((await b.request({ janus: 'claim', session_id })).error.code, 458);
  await b.close();
  await admin.close();
});

test('an idle session times out and says so', { tags }, async (t) => {
  const server = await t.server({ general: { session_timeout: 1 } });
  const c = await WsClient.open(server.ws);
  const session_id = await c.create();
  assert.deepEqual(await c.next((m) => m.janus === 'timeout'), { janus: 'timeout', session_id });
  assert.equal((await c.request({ janus: 'keepalive', session_id })).error.code, 458);
  await c.close();
});

test('api_secret is asked for', { tags }, async (t) => {
  const server = await t.server({ general: { api_secret: 'geheim' } });
  const c = await WsClient.open(server.ws);
  assert.equal((await c.request({ janus: 'create' })).error.code, 403);
  assert.equal((await c.request({ janus: 'create', apisecret: 'falsch' })).error.code, 403);
  const session_id = await c.create({ apisecret: 'geheim' });
  assert.equal((await c.request({ janus: 'keepalive', session_id })).error.code, 403);
  assert.equal((await c.request({ janus: 'keepalive', session_id, apisecret: 'geheim' })).janus, 'ack');
  await c.close();
});

test('a handshake without janus-protocol is refused', { tags }, async (t) => {
  const server = await t.server();
  for (const protocols of [[], ['chat']]) {
    const outcome = await new Promise((resolve) => {
      const s = new WebSocket(server.ws, protocols);
      s.on('open', () => resolve('open'));
      s.on('error', () => resolve('refused'));
    });
    assert.equal(outcome, 'refused');
  }
});

test('a ping is answered; stopping the server closes with 1001', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  await c.create();
  const pong = new Promise((resolve) => c.socket.on('pong', (d) => resolve(String(d))));
  c.socket.ping('hello');
  assert.equal(await pong, 'hello');
  const t0 = Date.now();
  await server.stop();
  assert.equal((await c.closed).code, 1001);
  assert.ok(Date.now() - t0 < 2000 * 3, 'within 2 s, times 3 for slow machines');
});
