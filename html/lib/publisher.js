/*
 * publisher.js - sends our media into a room. The browser offers, the server answers.
 */
import { Emitter } from './events.js';
import { Peer } from './peer.js';

/** @typedef {import('./handle.js').Handle} Handle */
/** @typedef {import('./errors.js').SluiceError} SluiceError */

/**
 * @typedef {object} PublishOptions
 * @property {boolean} [simulcast]  send video in three sizes; subscribers get what suits them
 * @property {{audio?: string, video?: string}} [codecs]  of those that the room allows
 * @property {number} [bitrate]  bit/s for all our video; 0: no limit of ours
 * @property {('audio' | 'video')[]} [kinds]  what is negotiated even when there is no track for it
 *   yet, so that replaceTrack() can bring one later; default: both
 */

/**
 * @typedef {object} PublisherEvents
 * @property {{state: import('./peer.js').PeerState}} state
 * @property {{attempt: number, of: number}} restart
 * @property {{kind: string}} rejected  the room takes nothing of this kind
 * @property {SluiceError} failed
 */

/** High to low, as the server expects them. @type {RTCRtpEncodingParameters[]} */
const SIMULCAST = [
    { rid: 'h', maxBitrate: 900000 },
    { rid: 'm', maxBitrate: 300000, scaleResolutionDownBy: 2 },
    { rid: 'l', maxBitrate: 100000, scaleResolutionDownBy: 4 },
];

/** So long the server may take to tell that it closed the connection. */
const HANGUP_MS = 1000;

/** @extends {Emitter<PublisherEvents>} */
export class Publisher extends Emitter {
    /** @param {Handle} handle @param {PublishOptions} [options] */
    constructor(handle, options = {}) {
        super();
        this.handle = handle;
        this.options = options;
        this.stream = new MediaStream();
        this.peer = new Peer(handle, () => this.#negotiate('configure', true));
        this.peer.on('state', (detail) => this.emit('state', detail));
        this.peer.on('restart', (detail) => this.emit('restart', detail));
        this.peer.on('failed', (error) => this.emit('failed', error));
    }

    /** Used by Room. @param {MediaStream | null} stream */
    async start(stream) {
        for (const kind of /** @type {const} */ (['audio', 'video'])) {
            const tracks = stream?.getTracks().filter((track) => track.kind === kind) ?? [];

            for (const track of tracks)
                this.#add(kind, track);
            if (!tracks.length && (this.options.kinds ?? ['audio', 'video']).includes(kind))
                this.#add(kind, null);
        }
        await this.#negotiate('publish', false);
    }

    /** @param {'audio' | 'video'} kind @param {MediaStreamTrack | null} track */
    #add(kind, track) {
        const simulcast = kind === 'video' && this.options.simulcast;

        if (track)
            this.stream.addTrack(track);
        return this.peer.pc.addTransceiver(track ?? kind, {
            direction: 'sendonly',
            streams: [this.stream],
            ...(simulcast && { sendEncodings: SIMULCAST.map((encoding) => ({ ...encoding })) }),
        });
    }

    /** @param {'publish' | 'configure'} request @param {boolean} restart @returns {Promise<void>} */
    #negotiate(request, restart) {
        const { codecs = {}, bitrate } = this.options;
        const body = {
            request,
            ...(codecs.audio && { audiocodec: codecs.audio }),
            ...(codecs.video && { videocodec: codecs.video }),
            ...(bitrate !== undefined && { bitrate }),
            ...(this.options.simulcast && { watched: true }),
        };

        return this.peer.queue(async () => {
            const { data } = await this.peer.offer(
                (jsep) => this.handle.request(body, { jsep }), { restart });

            for (const stream of data.streams ?? [])
                if (stream.disabled && this.#sends(stream.mid))
                    this.emit('rejected', { kind: stream.type });
        });
    }

    /** @param {string} mid */
    #sends(mid) {
        const found = this.peer.pc.getTransceivers().find((t) => t.mid === mid);

        return found?.direction === 'sendonly';
    }

    /** @param {'audio' | 'video'} kind @returns {RTCRtpTransceiver | undefined} the first one */
    transceiver(kind) {
        return this.peer.pc.getTransceivers().find((t) => t.receiver.track.kind === kind
            && t.direction === 'sendonly');
    }

    /**
     * Sends another track of this kind (a screen, another camera) or none, without negotiating.
     * @param {'audio' | 'video'} kind
     * @param {MediaStreamTrack | null} track
     */
    async replaceTrack(kind, track) {
        const transceiver = this.transceiver(kind);

        if (!transceiver) {
            if (track)
                await this.addTrack(track);
            return;
        }
        await transceiver.sender.replaceTrack(track);
        for (const old of this.stream.getTracks().filter((t) => t.kind === kind))
            this.stream.removeTrack(old);
        if (track)
            this.stream.addTrack(track);
    }

    /** Sends one more track; the room is told of it. @param {MediaStreamTrack} track */
    async addTrack(track) {
        this.#add(/** @type {'audio' | 'video'} */ (track.kind), track);
        await this.#negotiate('configure', false);
    }

    /**
     * Used by Room: of this line nobody wants a higher layer than this, so those above are not
     * encoded until somebody does.
     * @param {string} mid @param {number} layer  0: the lowest
     */
    async watched(mid, layer) {
        const sender = this.peer.pc.getTransceivers().find((t) => t.mid === mid)?.sender;
        const parameters = sender?.getParameters();

        if (!sender || !parameters?.encodings?.length)
            return;
        parameters.encodings.forEach((encoding, i, all) => {
            encoding.active = all.length - 1 - i <= layer;
        });
        await sender.setParameters(parameters).catch(() => {}); /* all are sent, then */
    }

    /** Stops sending a track. @param {MediaStreamTrack} track */
    async removeTrack(track) {
        for (const transceiver of this.peer.pc.getTransceivers()) {
            if (transceiver.sender.track !== track)
                continue;
            await transceiver.sender.replaceTrack(null);
            transceiver.direction = 'inactive';
            this.stream.removeTrack(track);
            await this.#negotiate('configure', false);
        }
    }

    /**
     * Changes what the server does with our media: `bitrate`, `keyframe`, `streams`,
     * `metadata`, ... as the request `configure` of the VideoRoom takes them.
     * @param {Record<string, any>} body
     */
    async configure(body) {
        await this.handle.request({ ...body, request: 'configure' });
    }

    /** Restarts ICE now, for example when the network is known to have changed. */
    restartIce() {
        return this.#negotiate('configure', true);
    }

    /** Stops sending everything; we stay in the room. */
    async unpublish() {
        if (this.peer.state === 'closed' || this.peer.state === 'failed')
            return;
        const hungUp = this.#hungUp();

        try {
            await this.handle.request({ request: 'unpublish' });
        } finally {
            this.peer.close(); /* earlier, the server would see us go before we say so */
        }
        await hungUp;
    }

    /** The server says so when a connection is closed; on the next one of this handle it would end that. */
    #hungUp() {
        return /** @type {Promise<void>} */ (new Promise((resolve) => {
            const off = this.handle.on('hangup', () => done());
            const done = () => {
                off();
                clearTimeout(timer);
                resolve();
            };
            const timer = setTimeout(done, HANGUP_MS);
        }));
    }

    close() {
        this.peer.close();
    }
}
