/*
 * session.js - a session with the server: requests as promises, and a way back after the
 * connection was lost.
 *
 * One session may outlive several connections: it is claimed on a new one as long as the server
 * keeps it (`reclaim_session_timeout`, 10 s unless configured). Peer connections do not notice.
 */
import { SluiceError } from './errors.js';
import { Emitter, sleep } from './events.js';
import { Handle } from './handle.js';
import { LongPollTransport, WebSocketTransport } from './transport.js';

/** @typedef {import('./transport.js').Message} Message */
/** @typedef {import('./transport.js').Transport} Transport */

/**
 * @typedef {object} ConnectOptions
 * @property {string | {ws?: string, http?: string}} [server]  address of the session protocol
 *   (http, https, ws or wss; the other forms are derived from it), or one for each way;
 *   default: /janus where the page comes from
 * @property {('websocket' | 'longpoll')[]} [transports]  tried in this order; default: both
 * @property {string} [token]
 * @property {string} [apisecret]
 * @property {RTCIceServer[]} [iceServers]  for the peer connections; rarely needed
 * @property {number[]} [retryMs]  waits before the tries to get back after a lost connection
 * @property {number} [timeoutMs]  for a request to be answered; default 15000
 * @property {number} [openMs]  for a connection to open; default 5000
 * @property {number} [keepaliveMs]  default 25000
 */

/** @typedef {'connecting' | 'connected' | 'reconnecting' | 'closed'} SessionState */

/**
 * @typedef {object} SessionEvents
 * @property {{state: SessionState}} state  it changed
 * @property {{attempt: number, of: number, reason: string}} reconnecting  a try begins
 * @property {{transport: string}} reconnected  on the same session: all handles are still there
 * @property {SluiceError} failed  the session is over, and not because close() was called
 */

/**
 * @typedef {object} RequestOptions
 * @property {boolean} [ackEnds]  the ack is the answer
 * @property {(data: Record<string, any>) => boolean} [until]  whether this event is the answer
 *   (default: the first one with the transaction is)
 * @property {number} [timeoutMs]
 */

/**
 * @typedef {object} Pending
 * @property {(msg: Message) => void} resolve
 * @property {(error: SluiceError) => void} reject
 * @property {RequestOptions} options
 * @property {boolean} acked
 * @property {ReturnType<typeof setTimeout>} timer
 */

const RETRY_MS = [0, 500, 1000, 2000, 3000, 4000, 5000, 5000];

/** @extends {Emitter<SessionEvents>} */
export class Session extends Emitter {
    /** @type {SessionState} */
    #state = 'connecting';
    /** @type {Transport | null} */
    #transport = null;
    /** @type {Map<string, Pending>} */
    #pending = new Map();
    /** @type {Map<number, Handle>} */
    #handles = new Map();
    /** @type {ReturnType<typeof setInterval> | undefined} */
    #keepalive;
    /** @type {(() => void)[]} those who wait for a connection */
    #waiting = [];
    #onPageHide = () => this.#beacon();
    #onOnline = () => this.#probe();

    /** @param {ConnectOptions} [options] */
    constructor(options = {}) {
        super();
        this.options = options;
        this.urls = serverUrls(options.server);
        /** @type {Record<string, string>} */
        this.credentials = {};
        if (options.token)
            this.credentials.token = options.token;
        if (options.apisecret)
            this.credentials.apisecret = options.apisecret;
        /** 0 until connected */
        this.id = 0;
    }

    /** @returns {SessionState} */
    get state() {
        return this.#state;
    }

    /** Which way the session takes at the moment. */
    get transport() {
        return this.#transport?.kind ?? 'none';
    }

    /** Connects and creates the session. Throws a SluiceError. */
    async open() {
        try {
            const reply = await this.#establish({ janus: 'create' });

            this.id = reply.data.id;
        } catch (error) {
            this.#setState('closed');
            throw error;
        }
        this.#up();
        globalThis.addEventListener?.('pagehide', this.#onPageHide);
        globalThis.addEventListener?.('online', this.#onOnline);
    }

    /**
     * Tries each transport until one carries @hello (create or claim) to the server and back.
     * @param {Message} hello
     * @returns {Promise<Message>}
     */
    async #establish(hello) {
        const kinds = this.options.transports ?? ['websocket', 'longpoll'];
        const openMs = this.options.openMs ?? 5000;
        /** @type {unknown} */
        let last = new SluiceError('transport', 'no transport to try');

        for (const kind of kinds) {
            const transport = this.#make(kind);

            try {
                await transport.open(openMs);
                if (this.#state === 'closed')
                    throw new SluiceError('closed', 'closed meanwhile');
                this.#transport = transport;
                return await this.#transact(hello, { timeoutMs: openMs });
            } catch (error) {
                transport.close();
                this.#transport = null;
                if (error instanceof SluiceError && ['core', 'closed'].includes(error.kind))
                    throw error;
                last = error;
            }
        }
        throw last;
    }

    /** @param {'websocket' | 'longpoll'} kind @returns {Transport} */
    #make(kind) {
        /** @type {Transport} */
        let transport;
        /** @type {import('./transport.js').Hooks} */
        const hooks = {
            message: (msg) => transport === this.#transport && this.#receive(msg),
            down: (error) => transport === this.#transport && this.#recover(error),
            undelivered: (msg, error) => this.#settle(msg.transaction, (p) => p.reject(error)),
        };

        transport = kind === 'websocket' ? new WebSocketTransport(this.urls.ws, hooks)
            : new LongPollTransport(this.urls.http, hooks, this.credentials);
        return transport;
    }

    /** @param {SessionState} state */
    #setState(state) {
        if (this.#state === state)
            return;
        this.#state = state;
        this.emit('state', { state });
    }

    #up() {
        this.#transport?.watch(this.id);
        clearInterval(this.#keepalive);
        if (this.#transport?.kind === 'websocket') /* a long poll keeps the session alive itself */
            this.#keepalive = setInterval(() => this.#probe(), this.options.keepaliveMs ?? 25000);
        this.#setState('connected');
        for (const resume of this.#waiting.splice(0))
            resume();
    }

    /** Keeps the session alive, and finds out that a connection died without saying so. */
    async #probe() {
        const transport = this.#transport;

        if (this.#state !== 'connected' || !transport)
            return;
        try {
            await this.#transact({ janus: 'keepalive' }, { ackEnds: true, timeoutMs: 10000 });
        } catch (error) {
            if (error instanceof SluiceError && transport === this.#transport
                && ['timeout', 'transport'].includes(error.kind))
                this.#recover(error);
        }
    }

    /** The connection is gone: takes the session up again on a new one. @param {SluiceError} reason */
    async #recover(reason) {
        const delays = this.options.retryMs ?? RETRY_MS;
        /** @type {unknown} */
        let last = reason;

        if (this.#state !== 'connected')
            return;
        this.#transport?.close();
        this.#transport = null;
        clearInterval(this.#keepalive);
        if (reason.kind === 'core') {
            this.#fail(new SluiceError('lost', reason.message, { code: reason.code, cause: reason }));
            return;
        }
        this.#setState('reconnecting');
        for (const [transaction, pending] of this.#pending)
            if (!pending.acked) /* what was acked may still be answered once we are back */
                this.#settle(transaction, (p) => p.reject(
                    new SluiceError('transport', 'the connection was lost', { cause: reason })));
        for (const [i, delay] of delays.entries()) {
            await sleep(delay);
            if (this.state !== 'reconnecting')
                return;
            this.emit('reconnecting',
                { attempt: i + 1, of: delays.length, reason: String(/** @type {any} */ (last).message) });
            try {
                await this.#establish({ janus: 'claim' });
                this.#up();
                this.emit('reconnected', { transport: this.transport });
                return;
            } catch (error) {
                last = error;
                if (error instanceof SluiceError && error.kind === 'core')
                    break; /* the server is there and knows us no more */
            }
        }
        if (this.state === 'reconnecting')
            this.#fail(new SluiceError('lost', 'the session could not be taken up again',
                { code: last instanceof SluiceError ? last.code : 0, cause: last }));
    }

    /** @param {SluiceError} error */
    #fail(error) {
        this.#end(error);
        this.emit('failed', error);
    }

    /** @param {SluiceError} error  for all who wait */
    #end(error) {
        globalThis.removeEventListener?.('pagehide', this.#onPageHide);
        globalThis.removeEventListener?.('online', this.#onOnline);
        clearInterval(this.#keepalive);
        this.#transport?.close();
        this.#transport = null;
        this.#setState('closed');
        for (const transaction of [...this.#pending.keys()])
            this.#settle(transaction, (p) => p.reject(error));
        for (const resume of this.#waiting.splice(0))
            resume();
        for (const handle of [...this.#handles.values()])
            handle.ended(error);
        this.#handles.clear();
    }

    /** The page goes away: frees our place at once, whatever becomes of the connection. */
    #beacon() {
        const path = `${this.urls.http}/${this.id}`;

        if (this.#state === 'closed' || !this.id)
            return;
        globalThis.navigator?.sendBeacon?.(path, JSON.stringify(
            { janus: 'destroy', transaction: randomText(), ...this.credentials }));
        this.#end(new SluiceError('closed', 'the page was left'));
    }

    /**
     * Sends a request of the session and gives its answer. Waits while the connection is being
     * restored.
     * @param {Message} msg
     * @param {RequestOptions} [options]
     * @returns {Promise<Message>}
     */
    async request(msg, options = {}) {
        while (this.#state === 'reconnecting' || this.#state === 'connecting')
            await /** @type {Promise<void>} */ (new Promise((resolve) => this.#waiting.push(resolve)));
        return this.#transact(msg, options);
    }

    /** @param {Message} msg @param {RequestOptions} options @returns {Promise<Message>} */
    #transact(msg, options) {
        const transaction = randomText();
        const timeoutMs = options.timeoutMs ?? this.options.timeoutMs ?? 15000;
        const session = this.id ? { session_id: this.id } : {};

        return new Promise((resolve, reject) => {
            if (!this.#transport) {
                reject(new SluiceError('closed', 'the session is closed'));
                return;
            }
            const timer = setTimeout(() => this.#settle(transaction, (p) => p.reject(
                new SluiceError('timeout', `${msg.janus}: no answer in ${timeoutMs} ms`))), timeoutMs);

            this.#pending.set(transaction, { resolve, reject, options, acked: false, timer });
            this.#transport.send({ ...msg, transaction, ...session, ...this.credentials });
        });
    }

    /** @param {string} transaction @param {(p: Pending) => void} how */
    #settle(transaction, how) {
        const pending = this.#pending.get(transaction);

        if (!pending)
            return;
        this.#pending.delete(transaction);
        clearTimeout(pending.timer);
        how(pending);
    }

    /** @param {Message} msg */
    #receive(msg) {
        const pending = this.#pending.get(msg.transaction);

        switch (msg.janus) {
        case 'keepalive':
            return;
        case 'ack':
            if (pending)
                pending.acked = true;
            if (pending?.options.ackEnds)
                this.#settle(msg.transaction, (p) => p.resolve(msg));
            return;
        case 'success':
        case 'server_info':
        case 'pong':
            this.#settle(msg.transaction, (p) => answer(p, msg));
            return;
        case 'error':
            this.#settle(msg.transaction, (p) => p.reject(new SluiceError('core',
                String(msg.error?.reason ?? 'unknown error'), { code: msg.error?.code })));
            return;
        case 'timeout':
            this.#fail(new SluiceError('lost', 'the session expired', { code: 458 }));
            return;
        case 'event':
            if (pending && answersRequest(pending, msg))
                this.#settle(msg.transaction, (p) => answer(p, msg));
            else
                this.#handles.get(msg.sender)?.receive(msg);
            return;
        default:
            this.#handles.get(msg.sender)?.receive(msg);
        }
    }

    /** What the server says about itself. @returns {Promise<Message>} */
    info() {
        return this.request({ janus: 'info' });
    }

    /**
     * Attaches to a plugin, for example `janus.plugin.videoroom`.
     * @param {string} plugin
     * @returns {Promise<Handle>}
     */
    async attach(plugin) {
        const reply = await this.request({ janus: 'attach', plugin });
        const handle = new Handle(this, reply.data.id, plugin);

        this.#handles.set(handle.id, handle);
        return handle;
    }

    /** Used by Handle. @param {Handle} handle */
    forget(handle) {
        this.#handles.delete(handle.id);
    }

    /** Ends the session, and with it all handles and their media. */
    async close() {
        if (this.#state === 'connected')
            await this.#transact({ janus: 'destroy' }, { timeoutMs: 2000 }).catch(() => {});
        if (this.#state !== 'closed')
            this.#end(new SluiceError('closed', 'the session is closed'));
    }
}

/** @param {Pending} pending @param {Message} msg */
function answersRequest(pending, msg) {
    const data = msg.plugindata?.data ?? {};

    return data.error_code !== undefined || !pending.options.until || pending.options.until(data);
}

/** @param {Pending} pending @param {Message} msg */
function answer(pending, msg) {
    const data = msg.plugindata?.data;

    if (data?.error_code !== undefined)
        pending.reject(new SluiceError('plugin', String(data.error), { code: data.error_code }));
    else
        pending.resolve(msg);
}

/**
 * @param {ConnectOptions['server']} server
 * @returns {{ws: string, http: string}}
 */
export function serverUrls(server) {
    const page = globalThis.location?.href;
    const given = typeof server === 'object' ? server : { ws: server, http: server };
    const base = given.ws ?? given.http ?? '/janus';
    /** @param {string} address @param {boolean} ws */
    const as = (address, ws) => {
        const url = new URL(address, page);
        const secure = url.protocol === 'https:' || url.protocol === 'wss:';

        url.protocol = (ws ? 'ws' : 'http') + (secure ? 's:' : ':');
        return url.href.replace(/\/$/, '');
    };

    return { ws: as(given.ws ?? base, true), http: as(given.http ?? base, false) };
}

/** @returns {string} */
function randomText() {
    const bytes = crypto.getRandomValues(new Uint8Array(9));

    return btoa(String.fromCharCode(...bytes));
}
