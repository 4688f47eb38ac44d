/* HTTP requests and long polls, where WebSockets do not get through. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { connect } from '../../html/sluice.js';
import { LongPollTransport } from '../../html/lib/transport.js';
import { ack, errorOf, event, FakeServer, pause, quick, until } from './fakes.mjs';

let server;
let session;

beforeEach(() => {
    server = new FakeServer().install();
    server.websocket = false;
});

afterEach(() => session?.close());

test('without WebSockets, long polls carry the session', async () => {
    session = await connect({ ...quick, token: 'T' });
    const h = await session.attach('janus.plugin.fake');

    assert.equal(session.transport, 'longpoll');
    server.plugin = (msg, tell) => {
        tell(ack(msg));
        tell(event(msg, { n: msg.body.n }));
    };
    assert.equal((await h.request({ n: 7 })).data.n, 7);
    assert.equal(server.query.get('maxev'), '10');
    assert.equal(server.query.get('token'), 'T');
    assert.equal(server.received.find((m) => m.janus === 'message').handle_id, h.id);
});

test('requests keep their order, whichever connection is faster', async () => {
    session = await connect({ ...quick, transports: ['longpoll'] });
    const h = await session.attach('janus.plugin.fake');
    const send = globalThis.fetch;

    globalThis.fetch = async (url, options = {}) => {
        if (options.body?.includes('"n":1'))
            await pause(20);
        return send(url, options);
    };

    await Promise.all([1, 2, 3, 4].map((n) => h.request({ n })));
    assert.deepEqual(server.sent('message').map((m) => m.body.n), [1, 2, 3, 4]);
});

test('events of one poll are told in order, fillers are not', async () => {
    session = await connect({ ...quick, transports: ['longpoll'] });
    const h = await session.attach('janus.plugin.fake');
    const told = [];

    h.on('message', ({ data }) => told.push(data.n));
    server.push({ janus: 'keepalive' });
    for (const n of [1, 2, 3])
        server.push(event({ handle_id: h.id }, { n }));
    await until(() => told.length === 3);
    assert.deepEqual(told, [1, 2, 3]);
});

test('where a WebSocket cannot open the other way takes its place at once', async () => {
    const errors = await errorOf(connect({ ...quick, transports: ['websocket'] }));

    assert.equal(errors.kind, 'transport');
    session = await connect(quick);
    assert.equal(session.transport, 'longpoll');
});

test('a refusal is not taken to the other way', async () => {
    server.websocket = true;
    server.verbs.create = (msg, tell) => tell({ janus: 'error', transaction: msg.transaction,
        error: { code: 403, reason: 'Unauthorized' } });
    const error = await errorOf(connect(quick));

    assert.deepEqual([error.kind, error.code], ['core', 403]);
    assert.equal(server.sent('create').length, 1);
});

test('neither way', async () => {
    server.http = false;
    assert.equal((await errorOf(connect(quick))).kind, 'transport');
});

test('a poll of a session that is gone ends it; failed polls are bounded', async () => {
    const down = [];
    const hooks = { message() {}, undelivered() {}, down: (error) => down.push(error) };
    const gone = new LongPollTransport('http://sluice.test/janus', hooks, {}, 1);

    await gone.watch(1);
    assert.deepEqual([down[0].kind, down[0].code], ['core', 458]);
    server.http = false;
    const fails = new LongPollTransport('http://sluice.test/janus', hooks, {}, 1);

    await fails.watch(4711);
    assert.equal(down.length, 2);
    assert.equal(down[1].kind, 'transport');
});

test('after lost polls the session is claimed again', async () => {
    session = await connect({ ...quick, transports: ['longpoll'] });
    session.on('reconnecting', () => {
        server.http = true;
    });
    await until(() => server.polls === 1);
    server.dropHttp();
    await until(() => server.sent('claim').length === 1 && session.state === 'connected',
        'claimed', 6000);
});
