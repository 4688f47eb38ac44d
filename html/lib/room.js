/*
 * room.js - a room of the VideoRoom plugin: who is there, what they send, and what we send.
 *
 * A connection of ours sends (Publisher, once publish() was called), one receives (Subscriber, once
 * subscribe() was called).
 */
import { SluiceError } from './errors.js';
import { Emitter } from './events.js';
import { Publisher } from './publisher.js';
import { Subscriber } from './subscriber.js';

/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./handle.js').Handle} Handle */
/** @typedef {import('./subscriber.js').Id} Id */
/** @typedef {import('./subscriber.js').Feed} Feed */
/** @typedef {import('./subscriber.js').RemoteTrack} RemoteTrack */

/**
 * @typedef {object} JoinOptions
 * @property {string} [display]  the name that others see
 * @property {Id} [id]  of ours; default: the server chooses
 * @property {string} [pin]
 * @property {string} [token]
 * @property {Record<string, any>} [metadata]  told to the others along with the name
 */

/**
 * @typedef {object} Participant
 * @property {Id} id
 * @property {string} display
 * @property {Record<string, any>} metadata
 * @property {Record<string, any>[] | null} streams  what they send: type, mid, codec, disabled, ...;
 *   empty: nothing; null: something, it is not known what
 * @property {boolean} talking
 */

/**
 * @typedef {object} RoomEvents
 * @property {Participant} joined  somebody came (without media, if the room tells of those)
 * @property {Participant} published  somebody sends, or sends other streams than before
 * @property {Participant} changed  name or metadata
 * @property {Participant} unpublished  somebody sends no more, but is still there
 * @property {{participant: Participant, reason: 'left' | 'kicked'}} left
 * @property {{id: Id, talking: boolean}} talking  we ourselves are told, too
 * @property {{id: Id}} speaker  who speaks, in rooms that tell; may be ourselves
 * @property {{id: Id, mid: string, muted: boolean}} moderated
 * @property {RemoteTrack} track
 * @property {RemoteTrack} trackremoved
 * @property {RemoteTrack} rests  begins or ends to rest
 * @property {import('./subscriber.js').Quality & {mid: string, feed: Id}} quality  of what we get
 * @property {{direction: 'send' | 'receive', state: import('./peer.js').PeerState}} state
 * @property {{direction: 'send' | 'receive', attempt: number, of: number}} restart  of ICE
 * @property {{kind: string}} rejected  the room takes no media of ours of this kind
 * @property {{reason: 'left' | 'kicked' | 'destroyed'}} ended  we are not in the room any more
 * @property {SluiceError} failed  media or the session were given up; see `error.kind`
 */

/** @extends {Emitter<RoomEvents>} */
export class Room extends Emitter {
    /** @type {Map<Id, Participant>} the others */
    participants = new Map();
    /** @type {Publisher | null} */
    publisher = null;
    /** @type {Subscriber} */
    subscriber;
    /** @type {Id} */
    myId = 0;
    description = '';
    /** @type {Id | null} who speaks, where the room tells; stays when nobody does */
    speaker = null;
    #ended = false;
    /** @type {Record<string, any>[] | null} events that came before we knew that we are in */
    #early = [];
    /** @type {(() => void)[]} */
    #off = [];

    /** @param {Session} session @param {Handle} handle @param {Id} room @param {JoinOptions} options */
    constructor(session, handle, room, options) {
        super();
        this.session = session;
        this.handle = handle;
        this.id = room;
        this.options = options;
        this.subscriber = new Subscriber(session, room, {});
        this.#off.push(
            handle.on('message', ({ data }) => this.#early ? this.#early.push(data) : this.#on(data)),
            handle.on('ended', (error) => error.kind === 'lost' && this.#fail(error)),
            session.on('reconnected', () => this.#resync().catch(() => {})));
    }

    /** Used by Session.join. */
    async join() {
        const { display, id, pin, token, metadata } = this.options;
        const access = { ...(pin && { pin }), ...(token && { token }) };
        const { data } = await this.handle.request({ request: 'join', ptype: 'publisher',
            room: this.id, ...(display && { display }), ...(id !== undefined && { id }),
            ...(metadata && { metadata }), ...access });

        this.myId = data.id;
        this.description = data.description ?? '';
        this.speaker = data.speaker ?? null;
        this.#setUpSubscriber({ ...access,
            ...(data.private_id !== undefined && { private_id: data.private_id }) });
        for (const attendee of data.attendees ?? [])
            this.#learn(attendee, []);
        for (const publisher of data.publishers ?? [])
            this.#learn(publisher, publisher.streams ?? null);
        const early = this.#early ?? [];

        this.#early = null;
        early.forEach((event) => this.#on(event));
    }

    /** @param {Record<string, any>} join */
    #setUpSubscriber(join) {
        const { subscriber } = this;

        subscriber.join = join;
        subscriber.on('track', (track) => this.emit('track', track));
        subscriber.on('trackremoved', (track) => this.emit('trackremoved', track));
        subscriber.on('rests', (track) => this.emit('rests', track));
        subscriber.on('quality', (quality) => this.emit('quality', quality));
        subscriber.on('state', ({ state }) => this.emit('state', { direction: 'receive', state }));
        subscriber.on('restart', (detail) => this.emit('restart', { direction: 'receive', ...detail }));
        subscriber.on('failed', (error) => this.#fail(error));
    }

    /** @param {SluiceError} error */
    #fail(error) {
        if (!this.#ended)
            this.emit('failed', error);
        if (error.kind === 'lost')
            this.#end();
    }

    /**
     * @param {Record<string, any>} from @param {Record<string, any>[] | null} streams
     * @returns {Participant}
     */
    #learn(from, streams) {
        const participant = this.participants.get(from.id)
            ?? { id: from.id, display: '', metadata: {}, streams: [], talking: false };

        participant.display = from.display ?? participant.display;
        participant.metadata = from.metadata ?? participant.metadata;
        participant.talking = from.talking ?? participant.talking;
        participant.streams = streams;
        this.participants.set(from.id, participant);
        return participant;
    }

    /** @param {Record<string, any>} data  an event of the plugin */
    #on(data) {
        switch (data.videoroom) {
        case 'talking':
        case 'stopped-talking':
            this.#onTalking(data.id, data.videoroom === 'talking');
            break;
        case 'destroyed':
            this.#end('destroyed');
            break;
        case 'event':
            this.#onEvent(data);
            break;
        }
    }

    /** @param {Id} id @param {boolean} talking */
    #onTalking(id, talking) {
        const participant = this.participants.get(id);

        if (participant)
            participant.talking = talking;
        this.emit('talking', { id, talking });
    }

    /** @param {Record<string, any>} data */
    #onEvent(data) {
        if (data.publishers) {
            for (const publisher of data.publishers)
                this.emit('published', this.#learn(publisher, publisher.streams ?? null));
        } else if (data.joining) {
            if (!this.participants.has(data.joining.id))
                this.emit('joined', this.#learn(data.joining, []));
        } else if (data.leaving === 'ok') {
            this.#end(data.reason === 'kicked' ? 'kicked' : 'left');
        } else if (data.leaving !== undefined || data.kicked !== undefined) {
            this.#gone(data.leaving ?? data.kicked, data.kicked !== undefined);
        } else if (data.unpublished !== undefined) {
            this.#unpublished(data.unpublished);
        } else if (data.speaker !== undefined) {
            this.speaker = data.speaker;
            this.emit('speaker', { id: data.speaker });
        } else if (data.watched !== undefined) {
            this.publisher?.watched(data.mid, data.watched);
        } else if (data.moderation !== undefined) {
            this.emit('moderated',
                { id: data.id, mid: data.mid, muted: data.moderation === 'muted' });
        } else if (data.id !== undefined) {
            const participant = this.participants.get(data.id);

            if (participant)
                this.emit('changed', this.#learn(data, participant.streams));
        }
    }

    /** @param {Id} id @param {boolean} kicked */
    #gone(id, kicked) {
        const participant = this.participants.get(id);

        this.subscriber.drop(id);
        if (this.participants.delete(id) && participant)
            this.emit('left', { participant, reason: kicked ? 'kicked' : 'left' });
    }

    /** @param {Id} id */
    #unpublished(id) {
        const participant = this.participants.get(id);

        this.subscriber.drop(id);
        if (participant?.streams?.length === 0 || !participant)
            return;
        participant.streams = [];
        participant.talking = false;
        this.emit('unpublished', participant);
    }

    /** Events may have been lost with the connection: asks who is there now. */
    async #resync() {
        const { data } = await this.handle.request(
            { request: 'listparticipants', room: this.id });
        /** @type {Map<Id, Record<string, any>>} */
        const there = new Map((data.participants ?? []).map((/** @type {any} */ p) => [p.id, p]));

        for (const id of [...this.participants.keys()])
            if (!there.has(id))
                this.#gone(id, false);
        for (const [id, p] of there) {
            const known = this.participants.get(id);

            if (id === this.myId)
                continue;
            if (p.publisher && !known?.streams?.length)
                this.emit('published', this.#learn(p, null));
            else if (!p.publisher && known?.streams?.length !== 0)
                known ? this.#unpublished(id) : this.emit('joined', this.#learn(p, []));
        }
    }

    /**
     * Sends our media, in place of what is sent so far. Resolves when the room has accepted them; the
     * event `state` tells when they flow.
     * @param {MediaStream | null} stream  null: nothing yet, tracks come by replaceTrack()
     * @param {import('./publisher.js').PublishOptions} [options]
     * @returns {Promise<Publisher>}
     */
    async publish(stream, options) {
        await this.unpublish().catch(() => {}); /* then there was nothing to end */
        const publisher = new Publisher(this.handle, options);

        this.publisher = publisher;
        publisher.on('state', ({ state }) => this.emit('state', { direction: 'send', state }));
        publisher.on('restart', (detail) => this.emit('restart', { direction: 'send', ...detail }));
        publisher.on('rejected', (detail) => this.emit('rejected', detail));
        publisher.on('failed', (error) => this.#fail(error));
        try {
            await publisher.start(stream);
        } catch (error) {
            publisher.close();
            this.publisher = null;
            throw error;
        }
        return publisher;
    }

    /** Stops sending; we stay in the room and may publish again. */
    async unpublish() {
        const { publisher } = this;

        this.publisher = null;
        await publisher?.unpublish();
    }

    /**
     * Receives what these participants send, and who speaks ({slot: 0}, ...), on one connection for
     * all of them. What is received already is not asked for twice, so this may be called at each
     * event `published`.
     * @param {(Feed | Id)[]} feeds
     */
    async subscribe(feeds) {
        const wanted = feeds.map((feed) => typeof feed === 'object' ? feed : { feed })
            .flatMap((feed) => this.#lines(feed))
            .filter((feed) => !this.subscriber.has(feed));

        if (wanted.length)
            await this.subscriber.subscribe(wanted);
    }

    /** @param {Feed} feed @returns {Feed[]} one for each stream that can be received */
    #lines(feed) {
        const streams = feed.feed === undefined ? null : this.participants.get(feed.feed)?.streams;

        if (feed.mid !== undefined || !streams)
            return [feed];
        return streams.filter((s) => !s.disabled && s.type !== 'data')
            .map((s) => ({ ...feed, mid: s.mid }));
    }

    /** @param {(Feed | Id)[]} feeds */
    async unsubscribe(feeds) {
        await this.subscriber.unsubscribe(
            feeds.map((feed) => typeof feed === 'object' ? feed : { feed }));
    }

    /** Tells the others a new name or other metadata. @param {{display?: string, metadata?: Record<string, any>}} what */
    async describe(what) {
        await this.handle.request({ request: 'configure', ...what });
    }

    /** Leaves the room. */
    async leave() {
        if (this.#ended)
            return;
        const said = this.handle.request({ request: 'leave' }, { timeoutMs: 2000 }).catch(() => {});

        this.#end('left');
        await said;
        await this.handle.detach();
    }

    /** @param {'left' | 'kicked' | 'destroyed'} [reason]  none: `failed` has told why */
    #end(reason) {
        if (this.#ended)
            return;
        this.#ended = true;
        for (const off of this.#off.splice(0))
            off();
        this.publisher?.close();
        this.publisher = null;
        this.subscriber.close();
        if (reason && reason !== 'left')
            this.handle.detach();
        if (reason)
            this.emit('ended', { reason });
    }
}

/**
 * @param {Session} session
 * @param {Id} room
 * @param {JoinOptions} [options]
 * @returns {Promise<Room>}
 */
export async function join(session, room, options = {}) {
    const handle = await session.attach('janus.plugin.videoroom');
    const joined = new Room(session, handle, room, options);

    try {
        await joined.join();
    } catch (error) {
        await handle.detach();
        throw error;
    }
    return joined;
}

/**
 * The rooms that everybody may see.
 * @param {Session} session
 * @returns {Promise<Record<string, any>[]>}
 */
export async function listRooms(session) {
    const handle = await session.attach('janus.plugin.videoroom');

    try {
        const { data } = await handle.request({ request: 'list' });

        return data.list ?? [];
    } finally {
        handle.detach();
    }
}
