/* Figures out of getStats(), and sentences out of errors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, explain, Meter, SluiceError } from '../../html/sluice.js';

const source = (...samples) => ({ getStats: async () => new Map(samples.shift().map((s) => [s.id, s])) });
const inbound = (timestamp, bytesReceived, packetsReceived, packetsLost, more = {}) => ({ id: 'in',
    type: 'inbound-rtp', timestamp, bytesReceived, packetsReceived, packetsLost, codecId: 'c',
    frameWidth: 640, frameHeight: 480, framesPerSecond: 30, ...more });

test('what is received: rates since the sample before', async () => {
    const pair = { id: 'p', type: 'candidate-pair', state: 'succeeded', currentRoundTripTime: 0.02 };
    const codec = { id: 'c', type: 'codec', mimeType: 'video/VP8' };
    const meter = new Meter(source([inbound(1000, 1000, 10, 0), pair, codec],
        [inbound(3000, 251000, 100, 10), pair, codec], [inbound(4000, 251000, 100, 10)]));
    const first = await meter.sample();

    assert.deepEqual([first.bitrate, first.loss, first.rttMs], [null, null, 20]);
    const { bitrate, loss, width, codec: name } = await meter.sample();

    assert.deepEqual([bitrate, loss, width, name], [1000000, 0.1, 640, 'VP8']);
    assert.equal((await meter.sample()).loss, 0);
});

test('what is sent: layers add up, the largest shows', async () => {
    const layer = (id, timestamp, bytesSent, frameWidth) => ({ id, type: 'outbound-rtp', timestamp,
        bytesSent, packetsSent: bytesSent / 1000, frameWidth, frameHeight: frameWidth / 2, framesEncoded: 5 });
    const remote = (packetsLost) => ({ id: 'r', type: 'remote-inbound-rtp', packetsLost, roundTripTime: 0.005 });
    const meter = new Meter(source(
        [layer('h', 0, 0, 640), layer('l', 0, 0, 160), remote(0)],
        [layer('h', 1000, 90000, 640), layer('l', 1000, 10000, 160), remote(25)]));

    await meter.sample();
    const f = await meter.sample();

    assert.deepEqual([f.width, f.bitrate, f.loss, f.rttMs], [640, 800000, 0.2, 5]);
});

test('nothing yet', async () => {
    const f = await new Meter(source([])).sample();

    assert.deepEqual(describe(f).map(([, value]) => value), ['–', '–', '–', '–', '–', '–']);
});

test('figures in words', () => {
    assert.deepEqual(Object.fromEntries(describe({ width: 640, height: 480, fps: 29.7, bitrate: 1234567,
        loss: 0.0123, rttMs: 3.21, codec: 'VP8', level: null, frames: 1 })),
    { Size: '640×480', Frames: '30/s', Rate: '1.23 Mbit/s', Loss: '1.2 %', 'Round trip': '3 ms', Codec: 'VP8' });
});

test('errors become sentences', () => {
    assert.match(explain(new SluiceError('plugin', 'No such room (9)', { code: 426 })), /no such room/);
    assert.match(explain(new SluiceError('plugin', 'Missing mandatory element (pin)', { code: 429 })), /needs a PIN/);
    assert.match(explain(new SluiceError('plugin', 'Unauthorized (wrong pin)', { code: 433 })), /not the PIN/);
    assert.match(explain(new SluiceError('core', 'odd', { code: 490 })), /odd/);
    assert.match(explain(Object.assign(new Error('x'), { name: 'NotFoundError' })), /No camera/);
    for (const kind of ['transport', 'lost', 'timeout', 'ice', 'closed'])
        assert.match(explain(new SluiceError(kind, '')), /^[A-Z].*[.?]$/);
});
