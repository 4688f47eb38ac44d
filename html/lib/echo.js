/*
 * echo.js - the EchoTest plugin: what we send comes back.
 */
import { Emitter } from './events.js';
import { Peer } from './peer.js';

/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./handle.js').Handle} Handle */
/** @typedef {import('./errors.js').SluiceError} SluiceError */

/**
 * @typedef {object} EchoEvents
 * @property {{track: MediaStreamTrack, stream: MediaStream}} track  one of ours, back from the server
 * @property {{state: import('./peer.js').PeerState}} state
 * @property {{attempt: number, of: number}} restart
 * @property {{label: string, text: string}} data  a message on the data channel, back
 * @property {SluiceError} failed
 */

/** @extends {Emitter<EchoEvents>} */
export class Echo extends Emitter {
    /** @param {Handle} handle @param {{data?: boolean}} [options] */
    constructor(handle, options = {}) {
        super();
        this.handle = handle;
        /** What comes back. */
        this.stream = new MediaStream();
        this.peer = new Peer(handle, () => this.#negotiate({}, true));
        /** @type {RTCDataChannel | null} */
        this.channel = options.data ? this.peer.pc.createDataChannel('echo') : null;
        if (this.channel)
            this.channel.onmessage = ({ data }) => this.emit('data', { label: 'echo', text: String(data) });
        this.peer.on('track', ({ track }) => {
            this.stream.addTrack(track);
            this.emit('track', { track, stream: this.stream });
        });
        this.peer.on('state', (detail) => this.emit('state', detail));
        this.peer.on('restart', (detail) => this.emit('restart', detail));
        this.peer.on('failed', (error) => this.emit('failed', error));
    }

    /** @param {MediaStream} stream @param {Record<string, any>} [settings] */
    async start(stream, settings = {}) {
        for (const track of stream.getTracks())
            this.peer.pc.addTransceiver(track, { streams: [stream], direction: 'sendrecv' });
        await this.#negotiate({ audio: true, video: true, ...settings }, false);
    }

    /** @param {Record<string, any>} body @param {boolean} restart @returns {Promise<import('./handle.js').Reply>} */
    #negotiate(body, restart) {
        return this.peer.queue(() => this.peer.offer(
            (jsep) => this.handle.request({ audio: true, video: true, ...body },
                { jsep, until: (data) => data.result === 'ok' }), { restart }));
    }

    /**
     * @param {{audio?: boolean, video?: boolean, bitrate?: number}} settings  whether a kind comes
     *   back, and the most that the server lets us send, in bit/s (0: no limit)
     */
    async set(settings) {
        await this.handle.request(settings, { until: (data) => data.result === 'ok' });
    }

    async close() {
        this.peer.close();
        await this.handle.detach();
    }
}

/**
 * @param {Session} session
 * @param {MediaStream} stream
 * @param {{data?: boolean, bitrate?: number}} [options]
 * @returns {Promise<Echo>}
 */
export async function echo(session, stream, options = {}) {
    const { data, ...settings } = options;
    const handle = await session.attach('janus.plugin.echotest');
    const test = new Echo(handle, { data });

    try {
        await test.start(stream, settings);
    } catch (error) {
        await test.close();
        throw error;
    }
    return test;
}
