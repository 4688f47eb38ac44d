/* Who is in a room, and receiving them on one connection. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { connect, join, listRooms } from '../../html/sluice.js';
import { ack, errorOf, event, FakePeerConnection, FakeServer, installBrowser, pause, quick, sdp, until }
    from './fakes.mjs';

let server;
let session;
let vr;

const streams = [{ type: 'audio', mid: 'a', codec: 'opus' }, { type: 'video', mid: 'v', codec: 'vp8' },
    { type: 'video', mid: 'w', disabled: true }, { type: 'data', mid: 'd' }];
const person = (id, more = {}) => ({ id, display: `P${id}`, streams, ...more });

/** As much of a VideoRoom as a subscriber needs. */
class FakeVideoRoom {
    publishers = [];
    lines = []; /* {mid, type, feed_id, feed_mid} */
    unanswered = false;
    /** Answers of subscribers are held back while this is set. */
    held = null;
    gone = new Set();
    updates = [];

    request(msg, tell) {
        const { request } = msg.body;

        tell(ack(msg));
        if (request === 'join' && msg.body.ptype === 'publisher') {
            this.publisher = msg.handle_id;
            tell(event(msg, { videoroom: 'joined', room: 1234, description: 'Demo', id: 1,
                private_id: 5, publishers: this.publishers }));
        } else if (request === 'join') {
            this.subscriber = msg.handle_id;
            this.change(msg, tell, 'attached', msg.body.streams, []);
        } else if (request === 'update') {
            this.updates.push(msg.body);
            this.change(msg, tell, 'updated', msg.body.subscribe ?? [], msg.body.unsubscribe ?? []);
        } else if (request === 'start') {
            const finish = () => {
                this.unanswered = false;
                tell(event(msg, { videoroom: 'event', started: 'ok' }));
                if (this.due)
                    tell(this.offer({ handle_id: msg.handle_id }, 'updated'));
                this.due = false;
            };

            this.held ? this.held.push(finish) : finish();
        } else if (request === 'configure' && msg.body.restart) {
            tell(event(msg, { videoroom: 'event', configured: 'ok' },
                { type: 'offer', sdp: sdp(this.mids(), 'new') }));
        } else if (request === 'listparticipants') {
            tell({ ...event(msg, { videoroom: 'participants', participants: this.present }), janus: 'success' });
        } else if (request === 'list') {
            tell({ ...event(msg, { videoroom: 'success', list: [{ room: 1234 }] }), janus: 'success' });
        } else if (request === 'leave') {
            tell(event(msg, { videoroom: 'event', leaving: 'ok' }));
        } else {
            tell(event(msg, { videoroom: 'event', configured: 'ok' },
                msg.jsep && { type: 'answer', sdp: msg.jsep.sdp }));
        }
    }

    change(msg, tell, kind, add, remove) {
        if (add.some(({ feed }) => this.gone.has(feed))) {
            tell(event(msg, { videoroom: 'event', error_code: 428, error: 'No such feed' }));
            return;
        }
        for (const { feed, mid, sub_mid } of remove)
            for (const line of this.lines)
                if (sub_mid === line.mid)
                    delete line.feed_id, delete line.slot;
                else if (sub_mid === undefined && line.feed_id === feed && (mid === undefined || line.feed_mid === mid))
                    delete line.feed_id;
        for (const { feed, mid, ...item } of add) {
            const type = item.type ?? (mid === 'a' ? 'audio' : 'video');

            if (item.slot !== undefined) {
                this.lines.push({ mid: String(this.lines.length), type, slot: item.slot });
                continue;
            }
            const free = this.lines.find((l) => l.type === type && l.feed_id === undefined && l.slot === undefined);

            if (free)
                Object.assign(free, { feed_id: feed, feed_mid: mid });
            else
                this.lines.push({ mid: String(this.lines.length), type, feed_id: feed, feed_mid: mid });
        }
        if (this.unanswered) {
            this.due = true;
            tell(event(msg, { videoroom: 'updating', room: 1234 }));
        } else {
            tell(this.offer(msg, kind));
        }
    }

    mids() {
        return this.lines.map((l) => [l.mid, l.type]);
    }

    offer(msg, kind) {
        this.unanswered = true;
        return event(msg, { videoroom: kind, room: 1234, streams: this.lines.map((l) => ({ ...l,
            active: l.feed_id !== undefined || l.slot !== undefined })) }, { type: 'offer', sdp: sdp(this.mids()) });
    }

    tell(data, jsep) {
        server.push(event({ handle_id: this.publisher }, data, jsep));
    }
}

beforeEach(async () => {
    installBrowser();
    server = new FakeServer().install();
    vr = new FakeVideoRoom();
    server.plugin = (msg, tell) => vr.request(msg, tell);
    session = await connect(quick);
});

afterEach(() => session.close());

const heard = (room) => room.subscriber.tracks.map((t) => [t.feed, t.feedMid, t.mid, t.kind]);

test('joining tells who is there', async () => {
    vr.publishers = [person(2)];
    const room = await join(session, 1234, { display: 'Ada', pin: 'p', metadata: { audio: true } });
    const [sent] = server.sent('join');

    assert.deepEqual(sent.body, { request: 'join', ptype: 'publisher', room: 1234, display: 'Ada',
        metadata: { audio: true }, pin: 'p' });
    assert.equal(room.myId, 1);
    assert.equal(room.description, 'Demo');
    assert.deepEqual([...room.participants.keys()], [2]);
    assert.deepEqual(await listRooms(session), [{ room: 1234 }]);
});

test('a refused join detaches', async () => {
    server.plugin = (msg, tell) => tell(event(msg, { error_code: 426, error: 'No such room (9)' }));
    assert.equal((await errorOf(join(session, 9))).code, 426);
    assert.equal(server.sent('detach').length, 1);
});

test('people come, change and go', async () => {
    const room = await join(session, 1234);
    const told = [];

    for (const name of ['joined', 'published', 'unpublished', 'changed'])
        room.on(name, ({ id }) => told.push([name, id]));
    room.on('left', ({ participant, reason }) => told.push([reason, participant.id]));
    room.on('talking', ({ id, talking }) => told.push(['talking', id, talking]));
    vr.tell({ videoroom: 'event', joining: { id: 2, display: 'B' } });
    vr.tell({ videoroom: 'event', publishers: [person(2)] });
    vr.tell({ videoroom: 'talking', id: 2 });
    vr.tell({ videoroom: 'event', id: 2, metadata: { video: false } });
    assert.deepEqual(room.participants.get(2).metadata, { video: false });
    vr.tell({ videoroom: 'event', unpublished: 2 });
    vr.tell({ videoroom: 'event', unpublished: 2 });
    vr.tell({ videoroom: 'event', leaving: 2 });
    vr.tell({ videoroom: 'event', leaving: 2 });
    vr.tell({ videoroom: 'event', publishers: [person(3)] });
    vr.tell({ videoroom: 'event', kicked: 3 });
    assert.deepEqual(told, [['joined', 2], ['published', 2], ['talking', 2, true], ['changed', 2],
        ['unpublished', 2], ['left', 2], ['published', 3], ['kicked', 3]]);
});

test('everybody is received on one connection, without data and disabled streams', async () => {
    vr.publishers = [person(2), person(3)];
    const room = await join(session, 1234);

    await room.subscribe([2, 3]);
    assert.equal(FakePeerConnection.made.length, 1);
    assert.deepEqual(heard(room), [[2, 'a', '0', 'audio'], [2, 'v', '1', 'video'],
        [3, 'a', '2', 'audio'], [3, 'v', '3', 'video']]);
    assert.equal(room.subscriber.tracks[0].stream, room.subscriber.tracks[1].stream);
    assert.notEqual(room.subscriber.tracks[0].stream, room.subscriber.tracks[2].stream);
    assert.equal(server.sent('join')[1].body.private_id, 5);
    await room.subscribe([2, 3]);
    assert.equal(vr.updates.length, 0, 'asked twice');
});

test('changes asked for while one is under way go together, after it', async () => {
    vr.publishers = [2, 3, 4, 5].map((id) => person(id));
    const room = await join(session, 1234);
    const first = room.subscribe([2]);

    vr.held = [];
    await until(() => vr.held.length === 1);
    const later = [room.subscribe([3]), room.subscribe([3]), room.subscribe([4]), room.unsubscribe([2])];

    await pause(10);
    assert.equal(vr.updates.length, 0, 'sent before the first was answered');
    const held = vr.held;

    vr.held = null;
    held.forEach((finish) => finish());
    await Promise.all([first, ...later]);
    assert.equal(vr.updates.length, 1);
    assert.deepEqual(vr.updates[0].unsubscribe, [{ feed: 2 }]);
    assert.deepEqual(vr.updates[0].subscribe.map((s) => [s.feed, s.mid]),
        [[3, 'a'], [3, 'v'], [4, 'a'], [4, 'v']]);
    assert.deepEqual([...new Set(heard(room).map(([feed]) => feed))].sort(), [3, 4]);
});

test('the last word about a participant counts', async () => {
    vr.publishers = [person(2), person(3)];
    const room = await join(session, 1234);

    await room.subscribe([3]);
    await Promise.all([room.subscribe([2]), room.unsubscribe([2])]);
    assert.deepEqual(vr.updates.map((u) => [u.subscribe, u.unsubscribe]), [[undefined, [{ feed: 2 }]]]);
});

test('updating: the offer that was announced is waited for', async () => {
    vr.publishers = [person(2), person(3)];
    const room = await join(session, 1234);

    await room.subscribe([2]);
    vr.unanswered = true; /* an offer of the server's own crosses our request */
    vr.held = [];
    let done = false;
    const change = room.subscribe([3]).then(() => {
        done = true;
    });

    await until(() => vr.updates.length === 1);
    await pause(5);
    assert.equal(done, false);
    vr.held = null;
    vr.due = false;
    server.push(vr.offer({ handle_id: vr.subscriber }, 'updated'));
    await change;
    assert.equal(heard(room).length, 4);
});

test('a line used again changes hands', async () => {
    vr.publishers = [person(2), person(3)];
    const room = await join(session, 1234);
    const told = [];

    await room.subscribe([2]);
    const [{ track }] = room.subscriber.tracks;

    room.on('track', (t) => told.push(['+', t.feed, t.mid]));
    room.on('trackremoved', (t) => told.push(['-', t.feed, t.mid]));
    await room.unsubscribe([2]);
    await room.subscribe([3]);
    assert.deepEqual(told, [['-', 2, '0'], ['-', 2, '1'], ['+', 3, '0'], ['+', 3, '1']]);
    assert.equal(room.subscriber.tracks[0].track, track);
    assert.equal(FakePeerConnection.made[0].getTransceivers().length, 2);
});

test('who leaves is received no more, before the server offers that', async () => {
    vr.publishers = [person(2)];
    const room = await join(session, 1234);

    await room.subscribe([2]);
    vr.tell({ videoroom: 'event', leaving: 2 });
    assert.deepEqual(heard(room), []);
    vr.lines.forEach((l) => delete l.feed_id);
    server.push(vr.offer({ handle_id: vr.subscriber }, 'updated'));
    await until(() => server.sent('start').length === 2);
    assert.equal(JSON.parse(server.sent('start')[1].jsep.sdp).mids.length, 2);
});

test('one who has just left does not keep the others from being received', async () => {
    vr.publishers = [person(2), person(3), person(4)];
    vr.gone.add(3);
    const room = await join(session, 1234);

    await room.subscribe([2, 3, 4]);
    assert.deepEqual([...new Set(heard(room).map(([feed]) => feed))], [2, 4]);
    assert.equal((await errorOf(room.subscriber.subscribe([{ feed: 3, mid: 'a' }]))).code, 428);
});

test('a subscriber whose ICE fails asks for a restart and answers it', async () => {
    vr.publishers = [person(2)];
    const room = await join(session, 1234);
    const restarts = [];

    room.on('restart', ({ direction, attempt }) => restarts.push([direction, attempt]));
    await room.subscribe([2]);
    FakePeerConnection.made[0].become('connected');
    FakePeerConnection.made[0].become('failed');
    await until(() => server.sent('start').length === 2);
    assert.equal(JSON.parse(server.sent('start')[1].jsep.sdp).ufrag, 'new');
    assert.deepEqual(restarts, [['receive', 1]]);
});

test('after a lost connection the room is compared with what is known', async () => {
    vr.publishers = [person(2), person(3)];
    const room = await join(session, 1234);
    const told = [];

    room.on('left', ({ participant }) => told.push(['left', participant.id]));
    room.on('published', ({ id, streams: s }) => told.push(['published', id, s]));
    vr.present = [{ id: 1 }, { id: 3, publisher: true }, { id: 4, display: 'P4', publisher: true }];
    server.socket.drop();
    await until(() => told.length === 2);
    assert.deepEqual(told, [['left', 2], ['published', 4, null]]);
});

test('events around our own join are not lost', async () => {
    server.plugin = (msg, tell) => {
        tell(event({ handle_id: msg.handle_id }, { videoroom: 'event', publishers: [person(8)] }));
        vr.request(msg, tell);
        tell(event({ handle_id: msg.handle_id }, { videoroom: 'event', publishers: [person(9)] }));
        tell(event({ handle_id: msg.handle_id }, { videoroom: 'event', leaving: 6 }));
    };
    vr.publishers = [person(6), person(7)];
    const room = await join(session, 1234);

    assert.deepEqual([...room.participants.keys()].sort(), [7, 8, 9]);
});

test('unpublishing is said before the connection closes, and publishing works again', async () => {
    const room = await join(session, 1234);
    const { peer } = await room.publish(null);
    const request = vr.request;

    room.on('failed', () => assert.fail('told as a failure'));
    vr.request = (msg, tell) => {
        if (msg.body.request === 'unpublish') {
            assert.equal(peer.state, 'connecting');
            server.push({ janus: 'hangup', sender: msg.handle_id, reason: 'Close PC' });
        }
        request.call(vr, msg, tell);
    };
    await room.unpublish();
    assert.equal(peer.state, 'closed');
    assert.equal(server.sent('unpublish').length, 1);
    await room.publish(null);
    assert.equal(server.sent('publish').length, 2);
    await pause(320);
});

test('publishing anew takes the place of what was published', async () => {
    const room = await join(session, 1234);
    const request = vr.request;

    vr.request = (msg, tell) => {
        request.call(vr, msg, tell);
        if (msg.body.request === 'unpublish')
            server.push({ janus: 'hangup', sender: msg.handle_id, reason: 'Close PC' });
    };
    const first = await room.publish(null);
    const second = await room.publish(null);

    assert.equal(first.peer.state, 'closed');
    assert.equal(second.peer.state, 'connecting');
    assert.equal(room.publisher, second);
    assert.deepEqual(server.received.map((m) => m.body?.request).filter((r) => /publish/.test(r)),
        ['publish', 'unpublish', 'publish']);
});

test('the hangup behind unpublish does not end what is published next', async () => {
    const room = await join(session, 1234);
    const request = vr.request;

    await room.publish(null);
    room.on('failed', () => assert.fail('told as a failure'));
    vr.request = (msg, tell) => {
        request.call(vr, msg, tell);
        if (msg.body.request === 'unpublish')
            setTimeout(() => server.push({ janus: 'hangup', sender: msg.handle_id, reason: 'Close PC' }), 5);
    };
    await room.unpublish();
    const { peer } = await room.publish(null);

    await pause(320);
    assert.equal(peer.state, 'connecting');
    vr.request = request;
    await room.unpublish(); /* a server that says nothing is not waited for for long */
});

test('kicked, destroyed, left: told once, and everything is given up', async () => {
    for (const [data, reason] of [
        [{ videoroom: 'event', leaving: 'ok', reason: 'kicked' }, 'kicked'],
        [{ videoroom: 'destroyed', room: 1234 }, 'destroyed']]) {
        const room = await join(session, 1234);
        const told = [];

        room.on('ended', (e) => told.push(e.reason));
        room.on('failed', () => assert.fail('told as a failure'));
        await room.publish(null);
        vr.tell(data);
        server.push({ janus: 'hangup', sender: vr.publisher, reason: 'Close PC' });
        assert.deepEqual(told, [reason]);
        assert.equal(FakePeerConnection.made.at(-1).signalingState, 'closed');
        await room.leave();
    }
    const room = await join(session, 1234);
    const told = [];

    room.on('ended', (e) => told.push(e.reason));
    await room.leave();
    assert.deepEqual(told, ['left']);
    assert.equal(server.sent('leave').length, 1);
});

test('a session that is lost is told once by the room', async () => {
    const room = await join(session, 1234);
    const failed = [];

    room.on('failed', (error) => failed.push(error.kind));
    await room.publish(null);
    vr.publishers = [];
    server.websocket = server.http = false;
    server.socket.drop();
    await until(() => failed.length);
    await pause(20);
    assert.deepEqual(failed, ['lost']);
});

test('slots show who speaks', async () => {
    vr.publishers = [person(2), person(3)];
    const room = await join(session, 1234);
    const seen = [];

    room.on('track', (line) => seen.push(`+${line.feed}/${line.slot}`));
    room.on('trackremoved', (line) => seen.push(`-${line.feed}`));
    await room.subscribe([{ slot: 0 }, { slot: 0, type: 'audio' }, { feed: 2, mid: 'v' }]);
    await room.subscribe([{ slot: 0 }]); /* it is there, though empty */
    assert.equal(vr.updates.length, 0);
    assert.deepEqual(seen, ['+2/undefined']);
    const tell = (view) => server.push(event({ handle_id: vr.subscriber }, { videoroom: 'event', room: 1234, view }));
    const video = { type: 'video', mid: '0', slot: 0, feed_mid: 'v' };

    tell([{ ...video, feed_id: 2 }, { type: 'audio', mid: '1', slot: 0, feed_id: 3, feed_mid: 'a' }]);
    await until(() => seen.length === 3);
    assert.deepEqual(seen.slice(1), ['+2/0', '+3/0']);
    assert.equal(room.subscriber.tracks.find((line) => line.mid === '0').feedMid, 'v');
    tell([{ ...video, feed_id: 3 }]);
    await until(() => seen.length === 5);
    assert.deepEqual(seen.slice(3), ['-2', '+3/0']);
    tell([{ type: 'video', mid: '0', slot: 0 }]); /* nobody is left */
    await until(() => seen.length === 6);
    await room.unsubscribe([{ slot: 0 }, { slot: 0, type: 'audio' }]);
    assert.deepEqual(vr.updates[0].unsubscribe, [{ sub_mid: '0' }, { sub_mid: '1' }]);
    assert.deepEqual(seen.slice(5), ['-3', '-3']);
    assert.equal(room.subscriber.tracks.length, 1);
});

test('the speaker, and videos that rest, are told', async () => {
    vr.publishers = [person(2)];
    const room = await join(session, 1234);
    const told = [];

    room.on('speaker', ({ id }) => told.push(id));
    room.on('rests', (line) => told.push(`${line.feed} ${line.rests}`));
    assert.equal(room.speaker, null);
    vr.tell({ videoroom: 'event', room: 1234, speaker: 2 });
    await until(() => room.speaker === 2);
    await room.subscribe([{ feed: 2, mid: 'v' }]);
    for (const rests of [true, true, false])
        server.push(event({ handle_id: vr.subscriber }, { videoroom: 'event', room: 1234,
            view: [{ type: 'video', mid: '0', rests, feed_id: 2, feed_mid: 'v' }] }));
    await until(() => told.length === 3);
    assert.deepEqual(told, [2, '2 true', '2 false']);
});
