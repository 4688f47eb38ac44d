/*
 * transport.js - carries JSON to the server and back: over a WebSocket, or over HTTP requests
 * and long polls where WebSockets do not get through.
 */
import { SluiceError } from './errors.js';
import { sleep } from './events.js';

/** @typedef {Record<string, any>} Message  one object of the session protocol */

/**
 * @typedef {object} Hooks
 * @property {(msg: Message) => void} message  what the server said
 * @property {(error: SluiceError) => void} down  the way is lost; told once, never after close()
 * @property {(msg: Message, error: SluiceError) => void} undelivered  this one did not arrive
 */

/**
 * @typedef {object} Transport
 * @property {'websocket' | 'longpoll'} kind
 * @property {(timeout: number) => Promise<void>} open
 * @property {(msg: Message) => void} send
 * @property {(session: number) => void} watch  events of this session are wanted from now on
 * @property {() => void} close
 */

/** @implements {Transport} */
export class WebSocketTransport {
    /** @readonly */
    kind = /** @type {const} */ ('websocket');
    /** @type {WebSocket | null} */
    #socket = null;

    /** @param {string} url @param {Hooks} hooks */
    constructor(url, hooks) {
        this.url = url;
        this.hooks = hooks;
    }

    /** @param {number} timeout ms @returns {Promise<void>} */
    open(timeout) {
        return new Promise((resolve, reject) => {
            let opened = false;
            /** @type {WebSocket} */
            let socket;
            /** @param {string} why */
            const fail = (why) => {
                const error = new SluiceError('transport', why);

                clearTimeout(timer);
                if (!opened)
                    reject(error);
                else if (this.#socket === socket)
                    this.hooks.down(error);
            };
            const timer = setTimeout(() => {
                fail(`${this.url} did not open in ${timeout} ms`);
                this.close();
            }, timeout);

            try {
                socket = new WebSocket(this.url, 'janus-protocol');
            } catch (cause) {
                fail(`${this.url} cannot be opened: ${cause}`);
                return;
            }
            this.#socket = socket;
            socket.onopen = () => {
                clearTimeout(timer);
                opened = true;
                resolve();
            };
            socket.onclose = (event) => fail(`WebSocket closed (${event.code} ${event.reason})`);
            socket.onmessage = (event) => {
                const msg = parse(event.data);

                if (this.#socket === socket && msg)
                    this.hooks.message(msg);
            };
        });
    }

    /** @param {Message} msg */
    send(msg) {
        if (this.#socket?.readyState === 1)
            this.#socket.send(JSON.stringify(msg));
        else
            this.hooks.undelivered(msg, new SluiceError('transport', 'the WebSocket is closed'));
    }

    watch() {}

    close() {
        const socket = this.#socket;

        this.#socket = null;
        socket?.close(1000);
    }
}

/** Failed polls in a row that mean that the way is lost. */
const POLL_FAILURES = 4;
/** A poll that takes so long has died on the way; the server answers after 30 s. */
const POLL_LIMIT_MS = 60000;

/** @implements {Transport} */
export class LongPollTransport {
    /** @readonly */
    kind = /** @type {const} */ ('longpoll');
    #abort = new AbortController();
    /** Requests go one after the other: two connections would not keep their order. */
    #posts = Promise.resolve();

    /**
     * @param {string} url
     * @param {Hooks} hooks
     * @param {Record<string, string>} credentials  token and apisecret, for the polls' address
     * @param {number} [pauseMs]  after a failed poll, times the failures in a row
     */
    constructor(url, hooks, credentials, pauseMs = 500) {
        this.url = url;
        this.hooks = hooks;
        this.credentials = credentials;
        this.pauseMs = pauseMs;
    }

    async open() {}

    /** @param {Message} msg */
    send(msg) {
        this.#posts = this.#posts.then(() => this.#post(msg));
    }

    /** @param {Message} msg */
    async #post(msg) {
        const { session_id, handle_id, ...rest } = msg;
        const path = [this.url, session_id, handle_id].filter((part) => part !== undefined).join('/');

        if (this.#abort.signal.aborted)
            return;
        try {
            const response = await fetch(path, {
                method: 'POST',
                headers: { 'Content-Type': 'application/json' },
                body: JSON.stringify(rest),
                signal: this.#abort.signal,
            });

            if (!response.ok)
                throw new Error(`HTTP status ${response.status}`);
            this.hooks.message(await response.json());
        } catch (cause) {
            if (!this.#abort.signal.aborted)
                this.hooks.undelivered(msg, new SluiceError('transport', String(cause), { cause }));
        }
    }

    /** @param {number} session */
    async watch(session) {
        let failures = 0;

        while (!this.#abort.signal.aborted) {
            try {
                const events = await this.#poll(session);

                failures = 0;
                for (const msg of events) {
                    if (this.#abort.signal.aborted)
                        return;
                    this.hooks.message(msg);
                }
            } catch (cause) {
                if (this.#abort.signal.aborted)
                    return;
                if (cause instanceof SluiceError || ++failures >= POLL_FAILURES) {
                    this.#abort.abort();
                    this.hooks.down(cause instanceof SluiceError ? cause
                        : new SluiceError('transport', `long poll: ${cause}`, { cause }));
                    return;
                }
                await sleep(this.pauseMs * failures);
            }
        }
    }

    /** @param {number} session @returns {Promise<Message[]>} */
    async #poll(session) {
        const limit = new AbortController();
        const timer = setTimeout(() => limit.abort(), POLL_LIMIT_MS);
        const stop = () => limit.abort();
        const query = new URLSearchParams({
            rid: String(Date.now()), maxev: '10', ...this.credentials,
        });

        this.#abort.signal.addEventListener('abort', stop);
        try {
            const response = await fetch(`${this.url}/${session}?${query}`,
                { signal: limit.signal, cache: 'no-store' });

            if (response.status === 404)
                throw new SluiceError('core', `No such session ${session}`, { code: 458 });
            if (!response.ok)
                throw new Error(`HTTP status ${response.status}`);
            const events = await response.json();

            return Array.isArray(events) ? events : [events];
        } finally {
            clearTimeout(timer);
            this.#abort.signal.removeEventListener('abort', stop);
        }
    }

    close() {
        this.#abort.abort();
    }
}

/** @param {unknown} text @returns {Message | null} */
function parse(text) {
    try {
        const value = JSON.parse(String(text));

        return value && typeof value === 'object' ? value : null;
    } catch {
        return null;
    }
}
