/*
 * viewing.js - tells the server how large each video is shown, so that it sends no more than that.
 *
 * An element that is not to be seen (scrolled away, not displayed, in a tab behind) counts as 0 x 0,
 * and nothing is sent for it, until it is seen again. What changes within a moment goes in one
 * request.
 */

/** @typedef {import('./subscriber.js').RemoteTrack} RemoteTrack */

/**
 * @typedef {object} View
 * @property {RemoteTrack} line
 * @property {Element} element
 * @property {number} priority
 * @property {boolean} inSight
 * @property {string} told  what the server knows
 */

/** A window that is being dragged says its size that often, */
const SETTLE_MS = 200;
/** and what went out of sight may come back that soon. */
const HIDE_MS = 1000;
const UNLIMITED = 16384;

export class Viewing {
    /** @type {Map<string, View>} by mid */
    #views = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #timer;
    #due = Infinity;
    #sizes = new ResizeObserver(() => this.#soon(SETTLE_MS));
    #sight = new IntersectionObserver((entries) => {
        for (const { target, isIntersecting } of entries)
            for (const view of this.#views.values())
                if (view.element === target)
                    view.inSight = isIntersecting;
        this.#soon(entries.some((entry) => entry.isIntersecting) ? 0 : HIDE_MS);
    });
    #page = () => this.#soon(document.hidden ? HIDE_MS : 0);

    /** @param {(streams: Record<string, any>[]) => Promise<unknown>} configure  `streams` of the request */
    constructor(configure) {
        this.configure = configure;
        document.addEventListener('visibilitychange', this.#page);
    }

    /**
     * @param {RemoteTrack} line @param {Element} element @param {number} priority
     * @returns {() => void} no longer: it may be as large as it likes
     */
    watch(line, element, priority) {
        const view = { line, element, priority, inSight: true, told: '' };

        this.remove(line);
        this.#views.set(line.mid, view);
        this.#sizes.observe(element);
        this.#sight.observe(element);
        this.#soon(0);
        return () => {
            if (this.#views.get(line.mid) !== view)
                return;
            this.remove(line);
            this.#send([{ mid: line.mid, width: UNLIMITED, height: UNLIMITED, priority }]);
        };
    }

    /** @param {RemoteTrack} line */
    remove(line) {
        const view = this.#views.get(line.mid);

        this.#views.delete(line.mid);
        if (!view || [...this.#views.values()].some((other) => other.element === view.element))
            return;
        this.#sizes.unobserve(view.element);
        this.#sight.unobserve(view.element);
    }

    close() {
        clearTimeout(this.#timer);
        this.#views.clear();
        this.#sizes.disconnect();
        this.#sight.disconnect();
        document.removeEventListener('visibilitychange', this.#page);
    }

    /** @param {number} ms */
    #soon(ms) {
        const due = performance.now() + ms;

        if (due >= this.#due)
            return;
        clearTimeout(this.#timer);
        this.#due = due;
        this.#timer = setTimeout(() => this.#tell(), ms);
    }

    #tell() {
        const streams = [];

        this.#due = Infinity;
        for (const view of this.#views.values()) {
            const stream = { mid: view.line.mid, ...sizeOf(view), priority: view.priority };
            const text = JSON.stringify(stream);

            if (view.told !== text)
                streams.push(stream);
            view.told = text;
        }
        if (streams.length)
            this.#send(streams);
    }

    /** @param {Record<string, any>[]} streams */
    #send(streams) {
        this.configure(streams).catch(() => {}); /* the line went, or all did */
    }
}

/** In pixels of the screen. @param {View} view */
function sizeOf({ element, inSight }) {
    const apart = document.pictureInPictureElement;
    const ratio = window.devicePixelRatio || 1;

    if (apart && element.contains(apart))
        return { width: Math.round(640 * ratio), height: Math.round(360 * ratio) };
    if (document.hidden || !inSight)
        return { width: 0, height: 0 };
    const { width, height } = element.getBoundingClientRect();

    return { width: Math.round(width * ratio), height: Math.round(height * ratio) };
}
