/*
 * local_media.js - camera, microphone and screen of the conference page.
 *
 * A camera that is switched off is released, so that its light goes out; a microphone that is
 * switched off sends silence, so that it is back at once.
 */
import { Emitter } from './events.js';
import { mediaDevices } from './page.js';

/** @typedef {'audio' | 'video'} Kind */

/**
 * @typedef {object} LocalMediaEvents
 * @property {{kind: Kind, track: MediaStreamTrack | null}} track  send this one from now on
 * @property {{}} change  something was switched
 */

/** @extends {Emitter<LocalMediaEvents>} */
export class LocalMedia extends Emitter {
    stream = new MediaStream();
    /** What the person wants; a device may be missing. */
    wants = { audio: true, video: true };
    /** @type {{audio: string, video: string}} ids of the chosen devices; empty: the default */
    chosen = { audio: '', video: '' };
    size = { width: 640, height: 480 };
    /** @type {MediaStreamTrack | null} */
    screen = null;
    #opened = false;

    /** @param {Kind} kind @returns {MediaStreamTrack | undefined} */
    track(kind) {
        return this.stream.getTracks().find((track) => track.kind === kind);
    }

    /** What is going on, as the others are told. */
    get state() {
        return {
            audio: this.track('audio')?.enabled === true,
            video: this.screen !== null || this.track('video') !== undefined,
            screen: this.screen !== null,
        };
    }

    /**
     * Opens the devices that are wanted, once. When one of the two is missing the other is opened;
     * throws when none can be.
     */
    async open() {
        const kinds = /** @type {Kind[]} */ (['audio', 'video']).filter((kind) => this.wants[kind]);

        if (this.#opened || !kinds.length)
            return;
        this.#opened = true;
        try {
            await this.#get(kinds);
        } catch (error) {
            const results = kinds.length > 1
                ? await Promise.allSettled(kinds.map((kind) => this.#get([kind]))) : [];

            if (!results.some((result) => result.status === 'fulfilled')) {
                this.#opened = false;
                throw error;
            }
        } finally {
            for (const kind of kinds)
                this.wants[kind] = this.track(kind) !== undefined;
            this.emit('change', {});
        }
    }

    /** @param {Kind} kind @returns {MediaTrackConstraints} */
    #constraints(kind) {
        const id = this.chosen[kind];
        const { width, height } = this.size;

        return {
            ...(id && { deviceId: { exact: id } }),
            ...(kind === 'video' && { width: { ideal: width }, height: { ideal: height },
                frameRate: { ideal: 30 } }),
        };
    }

    /** @param {Kind[]} kinds */
    async #get(kinds) {
        const got = await mediaDevices().getUserMedia(Object.fromEntries(
            kinds.map((kind) => [kind, this.#constraints(kind)])));

        for (const track of got.getTracks())
            this.#put(/** @type {Kind} */ (track.kind), track);
    }

    /** @param {Kind} kind @param {MediaStreamTrack | null} track */
    #put(kind, track) {
        const old = this.track(kind);

        if (old) {
            this.stream.removeTrack(old);
            old.stop();
        }
        if (track) {
            this.stream.addTrack(track);
            if (kind === 'audio')
                track.enabled = this.wants.audio;
            track.onended = () => this.#put(kind, null); /* unplugged */
        }
        if (kind === 'audio' || !this.screen)
            this.emit('track', { kind, track });
        this.emit('change', {});
    }

    /** @param {Kind} kind @param {boolean} on */
    async switch(kind, on) {
        const track = this.track(kind);

        this.wants[kind] = on;
        if (kind === 'audio' && track)
            track.enabled = on;
        else if (on && !track)
            await this.#get([kind]);
        else if (!on && track)
            this.#put(kind, null);
        this.emit('change', {});
    }

    /** Uses another device from now on. @param {Kind} kind @param {string} id */
    async choose(kind, id) {
        this.chosen[kind] = id;
        if (this.track(kind))
            await this.#get([kind]);
    }

    /** @param {number} width @param {number} height */
    async resize(width, height) {
        this.size = { width, height };
        await this.track('video')?.applyConstraints(this.#constraints('video'));
    }

    /** Shares a screen or window in place of the camera. */
    async share() {
        const got = await mediaDevices().getDisplayMedia({ video: { frameRate: { ideal: 15 } } });
        const [track] = got.getVideoTracks();

        track.contentHint = 'detail';
        track.onended = () => this.unshare();
        this.screen = track;
        this.emit('track', { kind: 'video', track });
        this.emit('change', {});
    }

    unshare() {
        if (!this.screen)
            return;
        this.screen.stop();
        this.screen = null;
        this.emit('track', { kind: 'video', track: this.track('video') ?? null });
        this.emit('change', {});
    }

    /** What is sent now. @returns {MediaStream} */
    sending() {
        const { screen } = this;

        return screen ? new MediaStream([...this.stream.getAudioTracks(), screen]) : this.stream;
    }

    close() {
        this.screen?.stop();
        this.screen = null;
        for (const track of this.stream.getTracks()) {
            this.stream.removeTrack(track);
            track.stop();
        }
        this.#opened = false;
    }
}

/**
 * @param {MediaDeviceKind} kind
 * @returns {Promise<{id: string, label: string}[]>}
 */
export async function listDevices(kind) {
    const all = await navigator.mediaDevices?.enumerateDevices() ?? [];

    return all.filter((device) => device.kind === kind)
        .map((device, i) => ({ id: device.deviceId, label: device.label || `Device ${i + 1}` }));
}
