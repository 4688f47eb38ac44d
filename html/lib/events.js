/*
 * events.js - an EventTarget whose events carry a typed detail.
 */

/** CustomEvent, which older Node.js lacks. @template T */
export class DetailEvent extends Event {
    /** @param {string} type @param {T} detail */
    constructor(type, detail) {
        super(type);
        /** @readonly */
        this.detail = detail;
    }
}

/**
 * `addEventListener` works as everywhere, with what is told in `event.detail`; `on` is shorter.
 * @template {Record<string, any>} M  names of the events and their details
 */
export class Emitter extends EventTarget {
    /**
     * Calls @fn with the detail of each event; returns what undoes it.
     * @template {keyof M & string} K
     * @param {K} type
     * @param {(detail: M[K]) => void} fn
     * @returns {() => void}
     */
    on(type, fn) {
        /** @param {Event} event */
        const listener = (event) => fn(/** @type {any} */ (event).detail);

        this.addEventListener(type, listener);
        return () => this.removeEventListener(type, listener);
    }

    /**
     * @template {keyof M & string} K
     * @param {K} type
     * @param {M[K]} detail
     */
    emit(type, detail) {
        this.dispatchEvent(new DetailEvent(type, detail));
    }
}

/** @param {number} ms @returns {Promise<void>} */
export function sleep(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}
