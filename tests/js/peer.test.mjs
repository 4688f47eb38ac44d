/* Negotiation, candidates, and restarts of ICE with their bounds. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { connect, Peer, Publisher } from '../../html/sluice.js';
import { ack, errorOf, event, FakePeerConnection, FakeServer, installBrowser, pause, quick, until }
    from './fakes.mjs';

let server;
let session;
let handle;

beforeEach(async () => {
    installBrowser();
    server = new FakeServer().install();
    server.plugin = (msg, tell) => {
        tell(ack(msg));
        tell(event(msg, { configured: 'ok' }, msg.jsep && { type: 'answer', sdp: msg.jsep.sdp }));
    };
    session = await connect(quick);
    handle = await session.attach('janus.plugin.videoroom');
});

afterEach(() => session.close());

const policy = { delaysMs: [0, 2, 2], graceMs: 10, deadlineMs: 10, stableMs: 15 };

test('candidates wait for the offer, go together, and end', async () => {
    const peer = new Peer(handle, async () => {});

    peer.pc.addTransceiver('audio', { direction: 'sendonly' });
    await peer.queue(() => peer.offer((jsep) => {
        for (const n of [1, 2])
            peer.pc.onicecandidate({ candidate: { candidate: `c${n}`, toJSON: () => ({ candidate: `c${n}`, sdpMid: '0' }) } });
        assert.equal(server.sent('trickle').length, 0);
        return handle.request({ request: 'publish' }, { jsep });
    }));
    peer.pc.onicecandidate({ candidate: null });
    await until(() => server.sent('trickle').length === 2);
    const [first, last] = server.sent('trickle');

    assert.deepEqual(first.candidates.map((c) => c.candidate), ['c1', 'c2']);
    assert.deepEqual(last.candidate, { completed: true });
    assert.ok(server.received.indexOf(first) > server.received.findIndex((m) => m.jsep));
    peer.close();
});

test('candidates of the server wait for its description', async () => {
    const peer = new Peer(handle, async () => {});

    server.push({ janus: 'trickle', sender: handle.id, candidate: { candidate: 'r', sdpMid: '0' } });
    await pause(5);
    assert.equal(peer.pc.candidates.length, 0);
    await peer.queue(() => peer.offer((jsep) => handle.request({}, { jsep })));
    assert.deepEqual(peer.pc.candidates, [{ candidate: 'r', sdpMid: '0' }]);
    server.push({ janus: 'trickle', sender: handle.id, candidate: { completed: true } });
    await pause(5);
    assert.deepEqual(peer.pc.candidates[1], undefined);
    assert.equal(peer.pc.candidates.length, 2);
    peer.close();
});

test('a refused offer is rolled back', async () => {
    const peer = new Peer(handle, async () => {});

    server.plugin = (msg, tell) => tell(event(msg, { error_code: 432, error: 'full' }));
    const error = await errorOf(peer.queue(() => peer.offer((jsep) => handle.request({}, { jsep }))));

    assert.equal(error.code, 432);
    assert.equal(peer.pc.signalingState, 'stable');
    peer.close();
});

test('an offer that was lost with the connection is made again', async () => {
    const peer = new Peer(handle, async () => {});
    const answer = server.plugin;

    server.plugin = () => server.socket.drop();
    const done = peer.queue(() => peer.offer((jsep) => handle.request({ request: 'publish' }, { jsep })));

    await until(() => server.sent('claim').length);
    server.plugin = answer;
    assert.equal((await done).data.configured, 'ok');
    assert.equal(server.sent('publish').length, 2);
    peer.close();
});

test('ICE that fails is restarted, and connected again it counts from one', async () => {
    let restarts = 0;
    const states = [];
    const peer = new Peer(handle, async () => {
        restarts++;
        peer.pc.become('connected');
    }, { policy });

    peer.on('state', ({ state }) => states.push(state));
    for (let i = 1; i <= 5; i++) { /* more than the bound, each after a stable time */
        peer.pc.become('connected');
        await pause(25);
        peer.pc.become('failed');
        await until(() => restarts === i && peer.state === 'connected');
    }
    assert.deepEqual(states.slice(0, 3), ['connected', 'recovering', 'connected']);
    peer.close();
});

test('restarts that do not help are bounded, and end in one error', async () => {
    let restarts = 0;
    const failed = [];
    const told = [];
    const peer = new Peer(handle, async () => {
        restarts++;
        if (restarts === 2)
            throw new Error('this one could not even be signalled');
    }, { policy });

    peer.on('failed', (error) => failed.push(error));
    peer.on('restart', ({ attempt, of }) => told.push([attempt, of]));
    peer.pc.become('failed');
    peer.pc.become('failed');
    await until(() => failed.length);
    await pause(40);
    assert.equal(restarts, 3);
    assert.deepEqual(told, [[1, 3], [2, 3], [3, 3]]);
    assert.equal(failed.length, 1);
    assert.equal(failed[0].kind, 'ice');
    assert.equal(peer.state, 'failed');
    assert.equal(peer.pc.signalingState, 'closed');
});

test('a short disconnection is waited out', async () => {
    let restarts = 0;
    const peer = new Peer(handle, async () => restarts++, { policy: { ...policy, graceMs: 30 } });

    peer.pc.become('connected');
    peer.pc.become('disconnected');
    assert.equal(peer.state, 'recovering');
    await pause(5);
    peer.pc.become('connected');
    await pause(50);
    assert.equal(restarts, 0);
    peer.pc.become('disconnected');
    await until(() => restarts === 1);
    peer.close();
});

test('the server that lost sight of us makes us restart', async () => {
    let restarts = 0;
    const peer = new Peer(handle, async () => restarts++, { policy });

    peer.pc.become('connected');
    server.push({ janus: 'ice-failed', sender: handle.id });
    await until(() => restarts === 1);
    peer.close();
});

test('a hangup of the server is final, unless we left meanwhile', async () => {
    const failed = [];
    const one = new Peer(handle, async () => {});

    one.on('failed', (error) => failed.push(error.message));
    server.push({ janus: 'hangup', sender: handle.id, reason: 'DTLS alert' });
    one.close();
    const two = new Peer(handle, async () => {});

    two.on('failed', (error) => failed.push(error.message));
    server.push({ janus: 'hangup', sender: handle.id, reason: 'Close PC' });
    await until(() => failed.length);
    assert.deepEqual(failed, ['the server hung up: Close PC']);
});

test('a publisher negotiates both kinds, and restarts with a new ufrag', async () => {
    const publisher = new Publisher(handle, { simulcast: true, codecs: { video: 'vp8' }, bitrate: 500000 });

    await publisher.start(null);
    const [pc] = FakePeerConnection.made;
    const [publish] = server.sent('publish');

    assert.deepEqual(JSON.parse(publish.jsep.sdp).mids, [['0', 'audio'], ['1', 'video']]);
    assert.deepEqual(publish.body, { request: 'publish', videocodec: 'vp8', bitrate: 500000,
        watched: true });
    assert.deepEqual(pc.getTransceivers()[1].sendEncodings.map((e) => e.rid), ['h', 'm', 'l']);
    assert.deepEqual(pc.getTransceivers()[0].sendEncodings, []);
    pc.become('connected');
    pc.become('failed');
    await until(() => server.sent('configure').length === 1);
    const [configure] = server.sent('configure');

    assert.notEqual(JSON.parse(configure.jsep.sdp).ufrag, JSON.parse(publish.jsep.sdp).ufrag);
    publisher.close();
});

test('a track is replaced without negotiating, and another is added with', async () => {
    const publisher = new Publisher(handle);
    const screen = { kind: 'video', id: 's' };
    const extra = { kind: 'video', id: 'x' };

    await publisher.start(new MediaStream([{ kind: 'audio' }, { kind: 'video', id: 'c' }]));
    await publisher.replaceTrack('video', screen);
    assert.equal(publisher.transceiver('video').sender.track, screen);
    assert.equal(server.sent('configure').length, 0);
    await publisher.addTrack(extra);
    assert.equal(JSON.parse(server.sent('configure')[0].jsep.sdp).mids.length, 3);
    await publisher.removeTrack(extra);
    assert.equal(server.sent('configure').length, 2);
    assert.equal(publisher.peer.pc.getTransceivers()[2].direction, 'inactive');
    publisher.close();
});

test('streams that the room refuses are told', async () => {
    const publisher = new Publisher(handle);
    const rejected = [];

    publisher.on('rejected', ({ kind }) => rejected.push(kind));
    server.plugin = (msg, tell) => tell(event(msg, { configured: 'ok', streams: [
        { type: 'audio', mid: '0', codec: 'opus' }, { type: 'video', mid: '1', disabled: true }] },
    { type: 'answer', sdp: msg.jsep.sdp }));
    await publisher.start(null);
    assert.deepEqual(rejected, ['video']);
    publisher.close();
});

test('of layers that nobody watches the encodings rest', async () => {
    const publisher = new Publisher(handle, { simulcast: true });
    const set = [];

    await publisher.start(null);
    const video = publisher.peer.pc.getTransceivers()[1];

    video.mid = '1';
    video.sender.getParameters = () => ({ encodings: video.sendEncodings.map((e) => ({ ...e })) });
    video.sender.setParameters = async ({ encodings }) => { set.push(encodings.map((e) => [e.rid, e.active])); };
    await publisher.watched('1', 0);
    await publisher.watched('1', 2);
    await publisher.watched('7', 0);
    assert.deepEqual(set, [[['h', false], ['m', false], ['l', true]], [['h', true], ['m', true], ['l', true]]]);
    video.sender.setParameters = async () => { throw new Error('negotiating'); };
    await publisher.watched('1', 0);
    publisher.close();
});
