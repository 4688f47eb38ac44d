/*
 * subscriber.js - receives the media of any number of participants on one connection. The server
 * offers, the browser answers.
 *
 * Changes that are asked for while one is under way are gathered into the next. M-lines are used
 * again by the server: which participant a `mid` belongs to is only in its list of streams.
 */
import { SluiceError } from './errors.js';
import { Emitter } from './events.js';
import { Peer } from './peer.js';
import { Viewing } from './viewing.js';

/** @typedef {import('./handle.js').Reply} Reply */
/** @typedef {import('./session.js').Session} Session */

/** @typedef {number | string} Id  a room or participant; the server's configuration says which */

/**
 * What to subscribe to: what a participant sends (without `mid`: all of it), or a slot, which is
 * a line that follows those who speak; `type` is audio or video (default), of slots only.
 * @typedef {object} Feed
 * @property {Id} [feed]
 * @property {string} [mid]
 * @property {number} [slot]
 * @property {string} [type]
 * @property {number} [substream]
 * @property {number} [temporal]
 */

/**
 * @typedef {object} RemoteTrack
 * @property {Id} feed  whose it is
 * @property {string} mid  the m-line of our connection
 * @property {string} feedMid  the m-line of theirs
 * @property {string} kind  audio or video
 * @property {MediaStreamTrack} track
 * @property {MediaStream} stream  all tracks of this participant
 * @property {RTCRtpTransceiver} transceiver
 * @property {number} [slot]  the line follows the speakers: another feed may come to it
 * @property {boolean} rests  nothing is sent, since its participant did not speak for long
 */

/**
 * @typedef {object} SubscriberEvents
 * @property {RemoteTrack} track
 * @property {RemoteTrack} trackremoved
 * @property {{mid: string, substream?: number, temporal?: number}} layer  the server chose another
 * @property {Quality & {mid: string, feed: Id}} quality  what is received changed, or why
 * @property {RemoteTrack} rests  begins or ends to rest
 * @property {{state: import('./peer.js').PeerState}} state
 * @property {{attempt: number, of: number}} restart
 * @property {SluiceError} failed
 */

/**
 * Why a stream is not better. Rates in bit/s, times in ms, losses in percent.
 * @typedef {object} Quality
 * @property {'good' | 'receiver' | 'sender' | 'server' | 'unavailable' | 'request'} verdict
 * @property {string} reason
 * @property {number} [substream]  -1: none
 * @property {number} [temporal]
 * @property {Record<string, number>} [wanted]
 * @property {number} estimate
 * @property {number} target
 * @property {number} rtt
 * @property {number} queue
 * @property {number} loss
 * @property {number} sender_loss
 */

/**
 * @typedef {object} Change
 * @property {'subscribe' | 'unsubscribe'} verb
 * @property {Feed} feed
 */

/**
 * @typedef {object} Job
 * @property {Change[]} changes
 * @property {() => void} resolve
 * @property {(error: unknown) => void} reject
 */

/** How long the server may take to offer what it announced with `updating`. */
const UPDATING_MS = 10000;

/** @extends {Emitter<SubscriberEvents>} */
export class Subscriber extends Emitter {
    /** @type {import('./handle.js').Handle | null} */
    handle = null;
    /** @type {Peer | null} */
    peer = null;
    /** @type {Job[]} */
    #jobs = [];
    #running = false;
    #closed = false;
    /** @type {Map<string, RemoteTrack>} by mid */
    #lines = new Map();
    /** @type {Map<Id, MediaStream>} */
    #streams = new Map();
    /** @type {Map<string, string>} mid by slot, filled or not */
    #slots = new Map();
    /** @type {(() => void)[]} wait for the next offer to be answered */
    #offered = [];
    /** @type {Map<string, number>} what is asked for and not answered yet */
    #underway = new Map();
    /** @type {Viewing | null} */
    #viewing = null;

    /**
     * @param {Session} session
     * @param {Id} room
     * @param {Record<string, any>} join  pin, token, private_id
     */
    constructor(session, room, join) {
        super();
        this.session = session;
        this.room = room;
        this.join = join;
    }

    /** @returns {RemoteTrack[]} what is being received */
    get tracks() {
        return [...this.#lines.values()];
    }

    /** Whether this stream is received or asked for. @param {Feed} feed */
    has(feed) {
        return this.#underway.has(keyOf(feed)) || this.#slots.has(keyOf(feed))
            || feed.feed !== undefined && this.tracks.some((line) => line.feed === feed.feed && line.feedMid === feed.mid);
    }

    /** @param {Feed[]} feeds @returns {Promise<void>} */
    async subscribe(feeds) {
        const keys = feeds.map(keyOf);

        for (const key of keys)
            this.#underway.set(key, (this.#underway.get(key) ?? 0) + 1);
        try {
            await this.#change(feeds.map((feed) => ({ verb: 'subscribe', feed })));
        } finally {
            for (const key of keys) {
                const left = (this.#underway.get(key) ?? 1) - 1;

                left ? this.#underway.set(key, left) : this.#underway.delete(key);
            }
        }
    }

    /** @param {Feed[]} feeds @returns {Promise<void>} */
    unsubscribe(feeds) {
        return this.#change(feeds.map((feed) => ({ verb: 'unsubscribe', feed })));
    }

    /** @param {Change[]} changes @returns {Promise<void>} */
    #change(changes) {
        return new Promise((resolve, reject) => {
            this.#jobs.push({ changes, resolve, reject });
            this.#run();
        });
    }

    async #run() {
        if (this.#running)
            return;
        this.#running = true;
        await Promise.resolve(); /* what is asked in one go is sent in one go */
        while (this.#jobs.length) {
            const jobs = this.#jobs.splice(0);

            try {
                await this.#apply(fold(jobs.flatMap((job) => job.changes)));
                jobs.forEach((job) => job.resolve());
            } catch (error) {
                jobs.forEach((job) => job.reject(error));
            }
        }
        this.#running = false;
    }

    /** @param {{subscribe: Feed[], unsubscribe: Feed[]}} change */
    async #apply(change) {
        try {
            await this.#send(change);
        } catch (error) {
            if (!(error instanceof SluiceError && error.code === 428) || change.subscribe.length < 2)
                throw error;
            /* One of them has just left, and the server then refuses all. */
            for (const [i, feed] of change.subscribe.entries())
                await this.#send({ subscribe: [feed], unsubscribe: i ? [] : change.unsubscribe })
                    .catch((e) => {
                        if (!(e instanceof SluiceError && e.code === 428))
                            throw e;
                    });
        }
    }

    /** @param {{subscribe: Feed[], unsubscribe: Feed[]}} change */
    async #send(change) {
        const { subscribe } = change;
        const unsubscribe = change.unsubscribe.map((feed) => feed.slot === undefined ? feed
            : { sub_mid: this.#slots.get(keyOf(feed)) ?? '' });
        let handle = this.handle;

        if (this.#closed)
            throw new SluiceError('closed', 'the room was left');
        if (!this.peer) {
            if (!subscribe.length)
                return;
            handle ??= this.handle = await this.session.attach('janus.plugin.videoroom');
            const reply = await handle.request({ request: 'join', ptype: 'subscriber',
                room: this.room, streams: subscribe, use_msid: false, quality: true,
                ...this.join });

            this.#start(handle);
            await this.#negotiate(reply);
            return;
        }
        if (!handle || (!subscribe.length && !unsubscribe.length))
            return;
        const reply = await handle.request({ request: 'update',
            ...(subscribe.length && { subscribe }), ...(unsubscribe.length && { unsubscribe }) });

        if (reply.data.videoroom === 'updating')
            await this.#nextOffer();
        else
            await this.#negotiate(reply);
    }

    /** @param {import('./handle.js').Handle} handle */
    #start(handle) {
        const peer = new Peer(handle, () => this.restartIce());

        this.peer = peer;
        handle.on('message', (reply) => this.#onMessage(reply));
        peer.on('state', (detail) => this.emit('state', detail));
        peer.on('restart', (detail) => this.emit('restart', detail));
        peer.on('failed', (error) => this.emit('failed', error));
    }

    /** @param {Reply} reply */
    #onMessage(reply) {
        const { data } = reply;

        if (reply.jsep || data.videoroom === 'updated')
            this.#negotiate(reply).catch(() => {}); /* the state of the peer tells */
        else if (data.mid !== undefined && (data.substream ?? data.temporal) !== undefined)
            this.emit('layer', { mid: data.mid, substream: data.substream, temporal: data.temporal });
        else if (data.view)
            this.#view(data.view);
        else if (data.quality && this.#lines.has(data.mid))
            this.emit('quality', { mid: data.mid, feed: /** @type {RemoteTrack} */ (
                this.#lines.get(data.mid)).feed, ...data.quality });
    }

    /** Answers the offer of @reply, if it has one, and learns which line belongs to whom. @param {Reply} reply */
    async #negotiate(reply) {
        const { handle, peer } = this;
        const { jsep, data } = reply;

        if (!handle || !peer)
            return;
        if (!jsep) {
            if (data.streams)
                this.#map(data.streams);
            return;
        }
        await peer.queue(async () => {
            await peer.answer(jsep, (answer) => {
                if (data.streams)
                    this.#map(data.streams);
                return handle.request({ request: 'start', room: this.room }, { jsep: answer });
            });
        });
        for (const resolve of this.#offered.splice(0))
            resolve();
    }

    /** @returns {Promise<void>} */
    #nextOffer() {
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(
                new SluiceError('timeout', 'the server did not send the offer it announced')),
            UPDATING_MS);

            this.#offered.push(() => {
                clearTimeout(timer);
                resolve();
            });
        });
    }

    /** @param {Record<string, any>[]} streams  as the server lists them */
    #map(streams) {
        const transceivers = this.peer?.pc.getTransceivers() ?? [];
        /** @type {Map<string, Record<string, any>>} */
        const wanted = new Map();

        this.#slots.clear();
        for (const s of streams.filter((each) => each.slot !== undefined))
            this.#slots.set(keyOf(/** @type {Feed} */ (s)), s.mid);
        for (const s of streams)
            if (s.type !== 'data' && s.active !== false && s.feed_id !== undefined)
                wanted.set(s.mid, s);
        for (const line of this.tracks)
            this.#update(line.mid, wanted.get(line.mid), transceivers);
        for (const [mid, s] of wanted)
            this.#update(mid, s, transceivers);
    }

    /** Others speak. @param {Record<string, any>[]} changed  lines, as in a list of streams */
    #view(changed) {
        const transceivers = this.peer?.pc.getTransceivers() ?? [];

        for (const s of changed)
            this.#update(s.mid, s.feed_id === undefined ? undefined : s, transceivers);
    }

    /**
     * @param {string} mid
     * @param {Record<string, any> | undefined} s  what it shows now
     * @param {RTCRtpTransceiver[]} transceivers
     */
    #update(mid, s, transceivers) {
        const line = this.#lines.get(mid);
        const transceiver = transceivers.find((t) => t.mid === mid);

        if (line && s?.feed_id === line.feed && s?.feed_mid === line.feedMid) {
            if ((s.rests ?? false) !== line.rests) {
                line.rests = !line.rests;
                this.emit('rests', line);
            }
            return;
        }
        if (line)
            this.#remove(line);
        if (s && transceiver)
            this.#add(mid, s, transceiver);
    }

    /** @param {string} mid @param {Record<string, any>} s @param {RTCRtpTransceiver} transceiver */
    #add(mid, s, transceiver) {
        const { track } = transceiver.receiver;
        const stream = this.#streams.get(s.feed_id) ?? new MediaStream();
        const line = { feed: s.feed_id, mid, feedMid: s.feed_mid, kind: track.kind, track, stream,
            transceiver, rests: s.rests ?? false, ...(s.slot !== undefined && { slot: s.slot }) };

        this.#streams.set(s.feed_id, stream);
        stream.addTrack(track);
        this.#lines.set(mid, line);
        this.emit('track', line);
    }

    /** @param {RemoteTrack} line */
    #remove(line) {
        this.#lines.delete(line.mid);
        this.#viewing?.remove(line);
        line.stream.removeTrack(line.track);
        if (!line.stream.getTracks().length)
            this.#streams.delete(line.feed);
        this.emit('trackremoved', line);
    }

    /** Used by Room: this participant is gone, whatever the server still sends. @param {Id} feed */
    drop(feed) {
        for (const line of this.tracks)
            if (line.feed === feed)
                this.#remove(line);
    }

    /**
     * Shows other participants on lines that are there, without negotiating.
     * @param {{feed: Id, mid: string, sub_mid: string}[]} streams
     */
    async switch(streams) {
        if (!this.handle)
            throw new SluiceError('closed', 'nothing is subscribed');
        const reply = await this.handle.request({ request: 'switch', streams },
            { until: (data) => data.switched !== undefined });

        if (reply.data.streams)
            this.#map(reply.data.streams);
    }

    /**
     * What we want of one line or of all: `mid`, `send`, `substream`, `temporal`, ... as the
     * request `configure` of the VideoRoom takes them.
     * @param {Record<string, any>} body
     */
    async configure(body) {
        await this.handle?.request({ ...body, request: 'configure' });
    }

    /**
     * Tells the server how large @element is on the screen, and whether it is to be seen at all,
     * from now until the line is gone or what is returned is called. No larger picture is sent than
     * that, and none for what is hidden.
     * @param {RemoteTrack} line  of a video
     * @param {Element} element  that shows it, or is as large
     * @param {{priority?: number}} [options]  -100 to 100: who gets better pictures when not all fit
     * @returns {() => void}
     */
    watch(line, element, { priority = 0 } = {}) {
        this.#viewing ??= new Viewing((streams) => this.configure({ streams }));
        return this.#viewing.watch(line, element, priority);
    }

    /** Asks the server for an offer that restarts ICE, and answers it. */
    async restartIce() {
        const reply = await this.handle?.request({ request: 'configure', restart: true });

        if (reply)
            await this.#negotiate(reply);
    }

    /** Stops receiving. */
    async close() {
        this.#closed = true;
        this.#viewing?.close();
        this.peer?.close();
        for (const line of this.tracks)
            this.#remove(line);
        await this.handle?.detach();
    }
}

/** @param {Feed} feed @returns {string} */
function keyOf({ feed, mid, slot, type = 'video' }) {
    return JSON.stringify(slot === undefined ? [feed, mid] : ['slot', slot, type]);
}

/**
 * Makes one update of many: the last word about each stream counts.
 * @param {Change[]} changes
 * @returns {{subscribe: Feed[], unsubscribe: Feed[]}}
 */
function fold(changes) {
    /** @type {Map<string, Change>} */
    const last = new Map();

    for (const change of changes) {
        const { feed, mid, slot } = change.feed;

        if (mid === undefined && slot === undefined)
            for (const [key, earlier] of last)
                if (earlier.feed.feed === feed)
                    last.delete(key);
        last.delete(keyOf(change.feed));
        last.set(keyOf(change.feed), change);
    }
    const of = (/** @type {Change['verb']} */ verb) => [...last.values()]
        .filter((change) => change.verb === verb).map((change) => change.feed);

    return { subscribe: of('subscribe'), unsubscribe: of('unsubscribe') };
}
