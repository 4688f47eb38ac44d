/*
 * fakes.mjs - a server of the session protocol and a browser, as far as html/sluice.js sees them.
 *
 * An SDP of these fakes is JSON: {"ufrag": "1", "mids": [["0", "audio"], ["1", "video"]]}.
 */
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto; /* Node.js 18 */

/** Waits until @check gives something true; fails after @ms. */
export async function until(check, what = String(check), ms = 2000) {
    const end = Date.now() + ms;

    for (;;) {
        const value = check();

        if (value)
            return value;
        if (Date.now() > end)
            throw new Error(`still not true after ${ms} ms: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
    }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The error that @work ends with; fails when it does not. */
export async function errorOf(work) {
    try {
        await (typeof work === 'function' ? work() : work);
    } catch (error) {
        return error;
    }
    throw new Error('there was no error');
}

export class FakeServer {
    session = 4711;
    received = [];
    sockets = [];
    /** Whether WebSockets open, and HTTP answers. */
    websocket = true;
    http = true;
    /** Answers plugin requests: (msg, tell) => void. */
    plugin = (msg, tell) => {
        tell(ack(msg));
        tell(event(msg, { ok: true }));
    };
    /** Replaces the answer to a verb: (msg, tell) => void. */
    verbs = {};
    #handles = 100;
    #events = [];
    #polls = [];
    polls = 0;

    install() {
        const server = this;

        globalThis.WebSocket = class {
            constructor(url, protocol) {
                this.url = url;
                this.protocol = protocol;
                this.readyState = 0;
                queueMicrotask(() => server.websocket ? server.#open(this) : this.drop());
            }

            send(text) {
                const msg = JSON.parse(text);

                server.received.push(msg);
                queueMicrotask(() => server.#answer(msg, (m) => this.tell(m)));
            }

            tell(msg) {
                if (this.readyState === 1)
                    this.onmessage?.({ data: JSON.stringify(msg) });
            }

            drop() {
                if (this.readyState !== 3) {
                    this.readyState = 3;
                    this.onclose?.({ code: 1006, reason: '' });
                }
            }

            close() {
                this.drop();
            }
        };
        globalThis.fetch = (url, options = {}) => this.#fetch(String(url), options);
        return this;
    }

    #open(socket) {
        socket.readyState = 1;
        this.sockets.push(socket);
        socket.onopen?.();
    }

    get socket() {
        return this.sockets[this.sockets.length - 1];
    }

    /** Something that nobody asked for. */
    push(msg) {
        if (this.socket?.readyState === 1)
            this.socket.tell(msg);
        else
            this.#queue(msg);
    }

    #queue(msg) {
        this.#events.push(msg);
        this.#polls.splice(0).forEach((wake) => wake());
    }

    #answer(msg, tell) {
        const success = { janus: 'success', transaction: msg.transaction };
        const session_id = this.session;
        const verbs = {
            create: () => tell({ ...success, data: { id: session_id } }),
            claim: () => tell({ ...success, session_id }),
            attach: () => tell({ ...success, session_id, data: { id: ++this.#handles } }),
            keepalive: () => tell({ ...success, janus: 'ack', session_id }),
            trickle: () => tell({ ...success, janus: 'ack', session_id }),
            message: () => this.plugin(msg, tell),
        };

        (this.verbs[msg.janus] ?? verbs[msg.janus] ?? (() => tell({ ...success, session_id })))(msg, tell);
    }

    async #fetch(url, { method = 'GET', body, signal }) {
        const path = new URL(url).pathname.split('/').slice(2).map(Number);

        await Promise.resolve();
        if (!this.http)
            throw new TypeError('fetch failed');
        if (method === 'POST') {
            const msg = { ...JSON.parse(body), ...(path[0] && { session_id: path[0] }),
                ...(path[1] && { handle_id: path[1] }) };

            this.received.push(msg);
            return new Promise((resolve) => {
                let answered = false;

                this.#answer(msg, (m) => {
                    if (answered || m.janus === 'event')
                        this.#queue(m);
                    else
                        resolve(json(m));
                    answered ||= m.janus !== 'event';
                });
            });
        }
        this.polls++;
        this.query = new URL(url).searchParams;
        if (path[0] !== this.session)
            return { ok: false, status: 404 };
        while (!this.#events.length)
            await new Promise((resolve, reject) => {
                this.#polls.push(resolve);
                signal?.addEventListener('abort', () => reject(new Error('aborted')));
            });
        return json(this.#events.splice(0));
    }

    /** All requests of this kind: a verb, or what the plugin was asked for. */
    sent(what) {
        return this.received.filter((m) => m.janus === what || m.body?.request === what);
    }

    /** Fails the polls that wait, too. */
    dropHttp() {
        this.http = false;
        this.#events.push({ janus: 'keepalive' });
        this.#polls.splice(0).forEach((wake) => wake());
    }
}

const json = (value) => ({ ok: true, status: 200, json: async () => value });

export const ack = (msg) => ({ janus: 'ack', session_id: 4711, transaction: msg.transaction });

export const event = (msg, data, jsep) => ({
    janus: 'event', session_id: 4711, sender: msg.handle_id, transaction: msg.transaction,
    plugindata: { plugin: 'janus.plugin.fake', data }, ...(jsep && { jsep }),
});

export const sdp = (mids, ufrag = '0') => JSON.stringify({ ufrag, mids });

export class FakePeerConnection {
    static made = [];
    signalingState = 'stable';
    iceConnectionState = 'new';
    connectionState = 'new';
    localDescription = null;
    remoteDescription = null;
    candidates = [];
    restarts = 0;
    #transceivers = [];

    constructor(config) {
        this.config = config;
        FakePeerConnection.made.push(this);
    }

    addTransceiver(what, { direction, sendEncodings = [] } = {}) {
        const kind = typeof what === 'string' ? what : what.kind;
        const transceiver = {
            mid: null, direction, sendEncodings,
            sender: { track: typeof what === 'string' ? null : what,
                async replaceTrack(track) { this.track = track; } },
            receiver: { track: { kind, id: `${kind}-${this.#transceivers.length}` } },
        };

        this.#transceivers.push(transceiver);
        return transceiver;
    }

    getTransceivers() {
        return this.#transceivers;
    }

    async createOffer({ iceRestart = false } = {}) {
        this.restarts += iceRestart ? 1 : 0;
        return { type: 'offer', sdp: sdp(this.#transceivers.map(
            (t, i) => [String(i), t.receiver.track.kind]), String(this.restarts)) };
    }

    async createAnswer() {
        return { type: 'answer', sdp: this.remoteDescription.sdp };
    }

    async setLocalDescription(description) {
        if (description.type === 'rollback') {
            this.signalingState = 'stable';
            return;
        }
        this.localDescription = description;
        this.signalingState = description.type === 'offer' ? 'have-local-offer' : 'stable';
        JSON.parse(description.sdp).mids.forEach(([mid], i) => {
            this.#transceivers[i].mid = mid;
        });
    }

    async setRemoteDescription(description) {
        if (description.type === 'offer' && this.signalingState !== 'stable')
            throw new Error('glare');
        this.remoteDescription = description;
        this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
        JSON.parse(description.sdp).mids.forEach(([mid, kind], i) => {
            const transceiver = this.#transceivers[i] ?? this.addTransceiver(kind, { direction: 'recvonly' });

            transceiver.mid = mid;
        });
    }

    async addIceCandidate(candidate) {
        this.candidates.push(candidate);
    }

    /** As a browser would tell it. */
    become(state) {
        this.iceConnectionState = state;
        this.connectionState = state;
        this.oniceconnectionstatechange?.();
        this.onconnectionstatechange?.();
    }

    close() {
        this.signalingState = 'closed';
    }
}

export class FakeMediaStream {
    #tracks;

    constructor(tracks = []) {
        this.#tracks = [...tracks];
    }

    getTracks() {
        return [...this.#tracks];
    }

    addTrack(track) {
        if (!this.#tracks.includes(track))
            this.#tracks.push(track);
    }

    removeTrack(track) {
        this.#tracks = this.#tracks.filter((t) => t !== track);
    }
}

export function installBrowser() {
    FakePeerConnection.made = [];
    globalThis.RTCPeerConnection = FakePeerConnection;
    globalThis.MediaStream = FakeMediaStream;
}

/** How the library is told to connect in tests: soon, and with short waits. */
export const quick = {
    server: 'http://sluice.test/janus', retryMs: [0, 5, 5], openMs: 300, timeoutMs: 500,
};
