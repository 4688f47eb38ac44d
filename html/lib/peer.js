/*
 * peer.js - one RTCPeerConnection and the handle that negotiates it: candidates in both
 * directions, offers or answers, and an ICE restart by itself when the way for media breaks.
 *
 * Whoever makes a Peer says how its side restarts ICE (`restart`): a publisher makes a new offer, a
 * subscriber asks the server for one. Tries are bounded; after the last one comes `failed`.
 */
import { SluiceError } from './errors.js';
import { Emitter, sleep } from './events.js';

/** @typedef {import('./handle.js').Handle} Handle */

/** @typedef {'new' | 'connecting' | 'connected' | 'recovering' | 'failed' | 'closed'} PeerState */

/**
 * @typedef {object} PeerEvents
 * @property {{state: PeerState}} state
 * @property {{attempt: number, of: number}} restart  ICE is being restarted
 * @property {RTCTrackEvent} track
 * @property {SluiceError} failed  given up
 */

/**
 * @typedef {object} RestartPolicy
 * @property {number[]} delaysMs  wait before each try
 * @property {number} graceMs  how long `disconnected` may last before the first try
 * @property {number} deadlineMs  for a try to succeed
 * @property {number} stableMs  connected so long, the tries count from one again
 */

/** @type {RestartPolicy} */
const POLICY = { delaysMs: [0, 1000, 2000, 4000, 8000], graceMs: 2500, deadlineMs: 8000,
    stableMs: 10000 };

/** Candidates found within this time go in one request. */
const GATHER_MS = 20;

/** After a hangup, the reason may still come: kicked, or the room is no more. */
const HANGUP_MS = 300;

/** Before an offer or answer is sent again, so that a lost connection has been noticed. */
const AGAIN_MS = 200;

/** @extends {Emitter<PeerEvents>} */
export class Peer extends Emitter {
    /** @type {PeerState} */
    #state = 'new';
    /** @type {RTCIceCandidateInit[]} ours, not told yet */
    #local = [];
    #localDone = false;
    /** The server has our description, so it knows what candidates belong to. */
    #described = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #gather;
    /** @type {(RTCIceCandidateInit | null)[]} the server's, that came before its description */
    #remote = [];
    /** Negotiations happen one after the other. @type {Promise<unknown>} */
    #queue = Promise.resolve();
    #attempts = 0;
    #restarting = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #grace;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #deadline;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #stable;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #hungUp;
    /** @type {(() => void)[]} */
    #off;

    /**
     * @param {Handle} handle
     * @param {() => Promise<unknown>} restart  signals an ICE restart
     * @param {{iceServers?: RTCIceServer[], policy?: Partial<RestartPolicy>}} [options]
     */
    constructor(handle, restart, options = {}) {
        super();
        this.handle = handle;
        this.signalRestart = restart;
        /** @type {RestartPolicy} */
        this.policy = { ...POLICY, ...options.policy };
        this.pc = new RTCPeerConnection({
            bundlePolicy: 'max-bundle',
            iceServers: options.iceServers ?? handle.session.options.iceServers ?? [],
        });
        this.pc.onicecandidate = (event) => this.#found(event.candidate);
        this.pc.oniceconnectionstatechange = () => this.#watch();
        this.pc.onconnectionstatechange = () => this.#watch();
        this.pc.ontrack = (event) => this.emit('track', event);
        this.#off = [
            handle.on('trickle', (candidate) => this.#told(candidate)),
            handle.on('ice-failed', () => this.#broken()),
            handle.on('hangup', ({ reason }) => {
                this.#hungUp = setTimeout(() => this.#fail(new SluiceError('ice',
                    `the server hung up: ${reason || 'no reason given'}`)), HANGUP_MS);
            }),
            handle.on('ended', (why) => why.kind === 'lost' ? this.#fail(why) : this.close()),
        ];
    }

    /** @returns {PeerState} */
    get state() {
        return this.#state;
    }

    /** @param {PeerState} state */
    #setState(state) {
        if (this.#state === state || this.#state === 'closed')
            return;
        this.#state = state;
        this.emit('state', { state });
    }

    get #over() {
        return this.#state === 'closed' || this.#state === 'failed';
    }

    /**
     * Runs @work when all that was asked before is done.
     * @template T
     * @param {() => Promise<T>} work
     * @returns {Promise<T>}
     */
    queue(work) {
        const done = this.#queue.then(() => {
            if (this.#over)
                throw new SluiceError('closed', 'the peer connection is closed');
            return work();
        });

        this.#queue = done.catch(() => {});
        return done;
    }

    /**
     * Offers what the connection holds now; @send takes it to the server and gives the answer.
     * To be called within queue(). A lost connection is waited for, and the offer made anew.
     * @template {{jsep?: RTCSessionDescriptionInit}} R
     * @param {(jsep: RTCSessionDescriptionInit) => Promise<R>} send
     * @param {{restart?: boolean}} [options]
     * @returns {Promise<R>}
     */
    async offer(send, options = {}) {
        if (this.#state === 'new')
            this.#setState('connecting');
        for (let tries = 1;; tries++) {
            const offer = await this.pc.createOffer({ iceRestart: options.restart ?? false });

            this.#described = false;
            await this.pc.setLocalDescription(offer);
            try {
                const reply = await this.#deliver(send);

                if (!reply.jsep)
                    throw new SluiceError('core', 'the server sent no answer to the offer');
                await this.pc.setRemoteDescription(reply.jsep);
                await this.#drain();
                return reply;
            } catch (error) {
                if (this.pc.signalingState === 'have-local-offer')
                    await this.pc.setLocalDescription({ type: 'rollback' });
                if (tries >= 3 || !isLoss(error))
                    throw error;
                await sleep(AGAIN_MS);
            }
        }
    }

    /**
     * Answers an offer of the server. To be called within queue().
     * @template R
     * @param {RTCSessionDescriptionInit} offer
     * @param {(jsep: RTCSessionDescriptionInit) => Promise<R>} send
     */
    async answer(offer, send) {
        if (this.#state === 'new')
            this.#setState('connecting');
        this.#described = false;
        await this.pc.setRemoteDescription(offer);
        await this.#drain();
        await this.pc.setLocalDescription(await this.pc.createAnswer());
        for (let tries = 1;; tries++) {
            try {
                return await this.#deliver(send);
            } catch (error) {
                if (tries >= 3 || !isLoss(error))
                    throw error;
                await sleep(AGAIN_MS);
            }
        }
    }

    /**
     * @template R
     * @param {(jsep: RTCSessionDescriptionInit) => Promise<R>} send
     */
    async #deliver(send) {
        const { type, sdp } = /** @type {RTCSessionDescription} */ (this.pc.localDescription);
        const sent = send({ type, sdp });

        this.#described = true; /* it is on its way: candidates may follow */
        this.#flush();
        return sent;
    }

    /** @param {RTCIceCandidate | null} candidate */
    #found(candidate) {
        if (candidate?.candidate)
            this.#local.push(candidate.toJSON());
        else if (!candidate)
            this.#localDone = true;
        if (!candidate)
            this.#flush();
        else
            this.#gather ??= setTimeout(() => this.#flush(), GATHER_MS);
    }

    #flush() {
        clearTimeout(this.#gather);
        this.#gather = undefined;
        if (!this.#described || this.#over)
            return;
        if (this.#local.length)
            this.handle.trickle(this.#local.splice(0)).catch(() => {});
        if (this.#localDone)
            this.handle.trickle([]).catch(() => {});
        this.#localDone = false;
    }

    /** @param {RTCIceCandidateInit | null} candidate */
    #told(candidate) {
        this.#remote.push(candidate);
        if (this.pc.remoteDescription)
            this.#drain();
    }

    async #drain() {
        for (const candidate of this.#remote.splice(0))
            await this.pc.addIceCandidate(candidate ?? undefined).catch(() => {});
    }

    #watch() {
        const { iceConnectionState: ice, connectionState } = this.pc;

        if (this.#over)
            return;
        if (ice === 'failed' || connectionState === 'failed') {
            this.#broken();
        } else if (ice === 'disconnected') {
            this.#setState('recovering');
            this.#grace ??= setTimeout(() => this.#broken(), this.policy.graceMs);
        } else if (connectionState === 'connected'
            || (connectionState === undefined && (ice === 'connected' || ice === 'completed'))) {
            this.#clear();
            this.#stable = setTimeout(() => {
                this.#attempts = 0;
            }, this.policy.stableMs);
            this.#setState('connected');
        }
    }

    #clear() {
        clearTimeout(this.#grace);
        clearTimeout(this.#deadline);
        clearTimeout(this.#stable);
        this.#grace = this.#deadline = this.#stable = undefined;
    }

    /** No way for media: restarts ICE, unless that is happening already. */
    async #broken() {
        const { delaysMs, deadlineMs } = this.policy;

        if (this.#over || this.#restarting)
            return;
        this.#clear();
        this.#setState('recovering');
        if (this.#attempts >= delaysMs.length) {
            this.#fail(new SluiceError('ice',
                `no connection after ${delaysMs.length} restarts of ICE`));
            return;
        }
        this.#restarting = true;
        await sleep(delaysMs[this.#attempts++]);
        if (!this.#over && this.#state !== 'connected') {
            this.emit('restart', { attempt: this.#attempts, of: delaysMs.length });
            await this.signalRestart().catch(() => {}); /* counts as a try; the next is due soon */
        }
        this.#restarting = false;
        if (!this.#over && this.#state !== 'connected')
            this.#deadline = setTimeout(() => this.#broken(), deadlineMs);
        else if (this.#state === 'connected')
            this.#watch();
    }

    /** @param {SluiceError} error */
    #fail(error) {
        if (this.#over)
            return;
        this.#setState('failed');
        this.#shut();
        this.emit('failed', error);
    }

    #shut() {
        for (const off of this.#off.splice(0))
            off();
        clearTimeout(this.#gather);
        clearTimeout(this.#hungUp);
        this.#clear();
        this.pc.onicecandidate = this.pc.ontrack = null;
        this.pc.oniceconnectionstatechange = this.pc.onconnectionstatechange = null;
        this.pc.close();
    }

    close() {
        if (this.#over)
            return;
        this.#setState('closed');
        this.#shut();
    }
}

/** @param {unknown} error  whether the connection was lost while the request was under way */
function isLoss(error) {
    return error instanceof SluiceError && error.kind === 'transport';
}
