/*
 * handle.js - one attachment of a session to a plugin; carries at most one peer connection.
 */
import { SluiceError } from './errors.js';
import { Emitter } from './events.js';

/** @typedef {import('./transport.js').Message} Message */
/** @typedef {import('./session.js').Session} Session */

/** What a plugin said. @typedef {{data: Record<string, any>, jsep?: RTCSessionDescriptionInit}} Reply */

/**
 * @typedef {object} HandleEvents
 * @property {Reply} message  an event of the plugin that answers no request
 * @property {{reason: string}} hangup  the server closed the peer connection
 * @property {Message} webrtcup  media may flow
 * @property {Message} media  the server receives a stream, or not any more
 * @property {Message} slowlink  packets are being lost
 * @property {Message} ice-failed  the server lost sight of us and waits for an ICE restart
 * @property {RTCIceCandidateInit | null} trickle  a candidate of the server; null: all were told
 * @property {SluiceError} ended  detached, or the session is over
 */

/** @extends {Emitter<HandleEvents>} */
export class Handle extends Emitter {
    #ended = false;

    /** @param {Session} session @param {number} id @param {string} plugin */
    constructor(session, id, plugin) {
        super();
        this.session = session;
        this.id = id;
        this.plugin = plugin;
    }

    /**
     * Sends a request to the plugin; its answer, whether the plugin gives it at once or later.
     * @param {Record<string, any>} body
     * @param {{jsep?: RTCSessionDescriptionInit, until?: (data: Record<string, any>) => boolean,
     *          timeoutMs?: number}} [options]
     * @returns {Promise<Reply>}
     */
    async request(body, options = {}) {
        const { jsep, ...rest } = options;
        const reply = await this.#send({ janus: 'message', body, ...(jsep && { jsep }) }, rest);

        return { data: reply.plugindata?.data ?? {}, jsep: reply.jsep };
    }

    /**
     * Tells the server candidates of ours; an empty list: there are no more.
     * @param {RTCIceCandidateInit[]} candidates
     */
    async trickle(candidates) {
        const what = candidates.length === 1 ? { candidate: candidates[0] }
            : candidates.length ? { candidates } : { candidate: { completed: true } };

        await this.#send({ janus: 'trickle', ...what }, { ackEnds: true });
    }

    /** Closes the peer connection on the server; the handle stays. */
    async hangup() {
        await this.#send({ janus: 'hangup' }, {});
    }

    /** Gives the handle up. Never throws: gone is gone. */
    async detach() {
        if (this.#ended)
            return;
        const sent = this.#send({ janus: 'detach' }, { timeoutMs: 3000 }).catch(() => {});

        this.ended(new SluiceError('closed', 'detached'));
        this.session.forget(this);
        await sent;
    }

    /** @param {Message} msg @param {import('./session.js').RequestOptions} options */
    #send(msg, options) {
        if (this.#ended)
            return Promise.reject(new SluiceError('closed', 'the handle is detached'));
        return this.session.request({ ...msg, handle_id: this.id }, options);
    }

    /** Used by Session. @param {Message} msg */
    receive(msg) {
        switch (msg.janus) {
        case 'event':
            this.emit('message', { data: msg.plugindata?.data ?? {}, jsep: msg.jsep });
            break;
        case 'trickle':
            this.emit('trickle', msg.candidate?.candidate ? msg.candidate : null);
            break;
        case 'hangup':
            this.emit('hangup', { reason: String(msg.reason ?? '') });
            break;
        case 'detached':
            this.session.forget(this);
            this.ended(new SluiceError('closed', 'the server detached the handle'));
            break;
        case 'webrtcup':
        case 'media':
        case 'slowlink':
        case 'ice-failed':
            this.emit(msg.janus, msg);
            break;
        }
    }

    /** Used by Session. @param {SluiceError} why */
    ended(why) {
        if (this.#ended)
            return;
        this.#ended = true;
        this.emit('ended', why);
    }
}
