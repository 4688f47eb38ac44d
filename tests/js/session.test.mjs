/* Requests and their answers, and the way back after a lost connection. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { connect, SluiceError } from '../../html/sluice.js';
import { serverUrls } from '../../html/lib/session.js';
import { ack, errorOf, event, FakeServer, pause, quick, until } from './fakes.mjs';

let server;
let session;

beforeEach(() => {
    server = new FakeServer().install();
});

afterEach(() => session?.close());

async function handle(options = {}) {
    session = await connect({ ...quick, ...options });
    return session.attach('janus.plugin.fake');
}

test('a session is created and a plugin attached', async () => {
    const h = await handle({ token: 'T', apisecret: 'S' });

    assert.equal(session.id, 4711);
    assert.equal(session.transport, 'websocket');
    assert.equal(h.id, 101);
    assert.equal(server.socket.url, 'ws://sluice.test/janus');
    assert.equal(server.socket.protocol, 'janus-protocol');
    const [create, attach] = server.received;

    assert.equal(create.session_id, undefined);
    assert.equal(attach.session_id, 4711);
    assert.equal(attach.token, 'T');
    assert.equal(attach.apisecret, 'S');
    assert.notEqual(create.transaction, attach.transaction);
});

test('the ack is no answer, the event is', async () => {
    const h = await handle();

    server.plugin = (msg, tell) => {
        tell(ack(msg));
        setTimeout(() => tell(event(msg, { joined: 1 }, { type: 'answer', sdp: 'x' })), 10);
    };
    const reply = await h.request({ request: 'join' });

    assert.deepEqual(reply, { data: { joined: 1 }, jsep: { type: 'answer', sdp: 'x' } });
});

test('an event before its ack answers, and the late ack hurts nobody', async () => {
    const h = await handle();

    server.plugin = (msg, tell) => {
        tell(event(msg, { n: msg.body.n }));
        tell(ack(msg));
    };
    assert.equal((await h.request({ n: 1 })).data.n, 1);
    assert.equal((await h.request({ n: 2 })).data.n, 2);
});

test('a synchronous success answers', async () => {
    const h = await handle();

    server.plugin = (msg, tell) => tell({ ...event(msg, { list: [1] }), janus: 'success' });
    assert.deepEqual((await h.request({ request: 'list' })).data.list, [1]);
});

test('answers in any order find their requests', async () => {
    const h = await handle();
    const waiting = [];

    server.plugin = (msg, tell) => {
        waiting.unshift(() => tell(event(msg, { n: msg.body.n })));
        if (waiting.length === 3)
            waiting.forEach((answer) => answer());
    };
    const replies = await Promise.all([1, 2, 3].map((n) => h.request({ n })));

    assert.deepEqual(replies.map((r) => r.data.n), [1, 2, 3]);
});

test('errors of the core and of plugins reject, with their codes', async () => {
    const h = await handle();

    server.plugin = (msg, tell) => tell({ janus: 'error', transaction: msg.transaction,
        error: { code: 459, reason: 'No such handle' } });
    const core = await errorOf(h.request({}));

    assert.ok(core instanceof SluiceError);
    assert.deepEqual([core.kind, core.code, core.message], ['core', 459, 'No such handle']);
    for (const janus of ['event', 'success']) {
        server.plugin = (msg, tell) => tell({ ...event(msg, { error_code: 426, error: 'No such room' }), janus });
        const plugin = await errorOf(h.request({}));

        assert.deepEqual([plugin.kind, plugin.code], ['plugin', 426]);
    }
});

test('events without a request of ours are told, also second ones of a transaction', async () => {
    const h = await handle();
    const told = [];

    h.on('message', ({ data }) => told.push(data));
    server.plugin = (msg, tell) => {
        tell(event(msg, { updated: 1 }));
        tell(event(msg, { switched: 'ok' }));
        tell(event(msg, { late: 1 }));
    };
    const { data } = await h.request({ request: 'switch' }, { until: (d) => d.switched !== undefined });

    assert.equal(data.switched, 'ok');
    server.push({ ...event({ handle_id: h.id }, { news: 1 }) });
    server.push({ ...event({ handle_id: 999 }, { other: 1 }) });
    assert.deepEqual(told, [{ updated: 1 }, { late: 1 }, { news: 1 }]);
});

test('core events reach their handle', async () => {
    const h = await handle();
    const told = [];

    h.on('hangup', ({ reason }) => told.push(reason));
    h.on('trickle', (candidate) => told.push(candidate));
    h.on('webrtcup', () => told.push('up'));
    server.push({ janus: 'webrtcup', sender: h.id });
    server.push({ janus: 'trickle', sender: h.id, candidate: { candidate: 'c', sdpMid: '0' } });
    server.push({ janus: 'trickle', sender: h.id, candidate: { completed: true } });
    server.push({ janus: 'hangup', sender: h.id, reason: 'DTLS alert' });
    assert.deepEqual(told, ['up', { candidate: 'c', sdpMid: '0' }, null, 'DTLS alert']);
});

test('a request without an answer times out', async () => {
    const h = await handle({ timeoutMs: 20 });

    server.plugin = (msg, tell) => tell(ack(msg));
    assert.equal((await errorOf(h.request({}))).kind, 'timeout');
});

test('a detached handle takes no requests', async () => {
    const h = await handle();

    await h.detach();
    await h.detach();
    assert.equal(server.sent('detach').length, 1);
    assert.equal((await errorOf(h.request({}))).kind, 'closed');
});

test('what is no JSON is overheard', async () => {
    const h = await handle();

    server.socket.onmessage({ data: '{nonsense' });
    server.socket.onmessage({ data: '17' });
    assert.deepEqual((await h.request({})).data, { ok: true });
});

test('a lost socket: the session is claimed on a new one, handles live on', async () => {
    const h = await handle();
    const states = [];

    session.on('state', ({ state }) => states.push(state));
    server.socket.drop();
    const reply = await h.request({ n: 1 }); /* waits */

    assert.deepEqual(reply.data, { ok: true });
    assert.deepEqual(states, ['reconnecting', 'connected']);
    assert.equal(server.sockets.length, 2);
    assert.equal(server.sent('claim')[0].session_id, 4711);
    assert.equal(server.sent('create').length, 1);
});

test('requests under way when the socket is lost: acked ones wait, others fail', async () => {
    const h = await handle();

    server.plugin = (msg, tell) => msg.body.acked && tell(ack(msg));
    const acked = h.request({ acked: true });
    const other = errorOf(h.request({ acked: false }));

    await until(() => server.received.length === 4);
    await pause(5);
    server.socket.drop();
    assert.equal((await other).kind, 'transport');
    await until(() => session.state === 'connected');
    server.push(event(server.received.find((m) => m.body?.acked), { done: 1 }));
    assert.deepEqual((await acked).data, { done: 1 });
});

test('claiming is tried a bounded number of times, then comes one clear error', async () => {
    const h = await handle({ transports: ['websocket'] });
    const failed = [];
    const tries = [];
    const ended = [];

    session.on('failed', (error) => failed.push(error));
    session.on('reconnecting', ({ attempt, of }) => tries.push([attempt, of]));
    h.on('ended', (why) => ended.push(why.kind));
    server.websocket = false;
    server.socket.drop();
    await until(() => failed.length);
    await pause(30);
    assert.deepEqual(tries, [[1, 3], [2, 3], [3, 3]]);
    assert.equal(failed.length, 1);
    assert.equal(failed[0].kind, 'lost');
    assert.deepEqual(ended, ['lost']);
    assert.equal(session.state, 'closed');
    assert.equal((await errorOf(h.request({}))).kind, 'closed');
});

test('a server that knows the session no more is not asked again', async () => {
    await handle();
    const failed = [];

    session.on('failed', (error) => failed.push(error));
    server.verbs.claim = (msg, tell) => tell({ janus: 'error', transaction: msg.transaction,
        error: { code: 458, reason: 'No such session' } });
    server.socket.drop();
    await until(() => failed.length);
    assert.deepEqual([failed[0].kind, failed[0].code], ['lost', 458]);
    assert.equal(server.sent('claim').length, 1);
});

test('a later try succeeds', async () => {
    const h = await handle({ transports: ['websocket'] });

    server.websocket = false;
    session.on('reconnecting', ({ attempt }) => {
        server.websocket = attempt === 3;
    });
    server.socket.drop();
    assert.deepEqual((await h.request({})).data, { ok: true });
});

test('a connection that died silently is found by the keepalive', async () => {
    await handle({ keepaliveMs: 10 });
    await until(() => server.sent('keepalive').length >= 2, 'keepalives');
    assert.equal(session.state, 'connected');
    const socket = server.socket;

    socket.readyState = 2; /* as a socket that is being closed: send() fails */
    await until(() => server.sockets.length === 2 && session.state === 'connected');
    assert.equal(server.sent('claim').length, 1);
});

test('the session expired', async () => {
    await handle();
    const failed = [];

    session.on('failed', (error) => failed.push(error.kind));
    server.push({ janus: 'timeout', session_id: 4711 });
    assert.deepEqual(failed, ['lost']);
});

test('closing destroys the session, and nothing is told as a failure', async () => {
    await handle();
    session.on('failed', () => assert.fail('told'));
    await session.close();
    assert.equal(server.sent('destroy').length, 1);
    assert.equal(session.state, 'closed');
    await pause(20);
    assert.equal(server.sockets.length, 1);
});

test('closing while a connection is being restored ends that', async () => {
    await handle({ retryMs: [20, 20] });
    server.socket.drop();
    await session.close();
    await pause(60);
    assert.equal(session.state, 'closed');
    assert.equal(server.sockets.length, 1);
});

test('a page that goes away frees its place by a beacon', async (t) => {
    const beacons = [];
    const listeners = new Map();
    const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');

    globalThis.addEventListener = (name, fn) => listeners.set(name, fn);
    globalThis.removeEventListener = (name) => listeners.delete(name);
    Object.defineProperty(globalThis, 'navigator', { configurable: true,
        value: { sendBeacon: (url, body) => beacons.push([url, JSON.parse(body)]) } });
    t.after(() => {
        delete globalThis.addEventListener;
        delete globalThis.removeEventListener;
        delete globalThis.navigator;
        if (before)
            Object.defineProperty(globalThis, 'navigator', before);
    });
    await handle({ token: 'T' });
    listeners.get('pagehide')();
    assert.equal(beacons.length, 1);
    const [url, { transaction, ...body }] = beacons[0];

    assert.equal(url, 'http://sluice.test/janus/4711');
    assert.deepEqual(body, { janus: 'destroy', token: 'T' });
    assert.ok(transaction);
    assert.equal(session.state, 'closed');
    assert.equal(listeners.size, 0);
});

test('addresses of both ways follow from one', () => {
    assert.deepEqual(serverUrls('https://a.test/janus'),
        { ws: 'wss://a.test/janus', http: 'https://a.test/janus' });
    assert.deepEqual(serverUrls('ws://a.test:8188/'),
        { ws: 'ws://a.test:8188', http: 'http://a.test:8188' });
    assert.deepEqual(serverUrls({ ws: 'ws://a.test:8188', http: 'http://a.test:8088/janus' }),
        { ws: 'ws://a.test:8188', http: 'http://a.test:8088/janus' });
});
