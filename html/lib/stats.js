/*
 * stats.js - figures about media that people can read, out of getStats().
 *
 * Rates are those since the sample before, so the first one has none.
 */

/**
 * @typedef {object} Figures
 * @property {number} width
 * @property {number} height
 * @property {number} fps
 * @property {number | null} bitrate  bit/s
 * @property {number | null} loss  share of the packets, 0 to 1
 * @property {number | null} rttMs
 * @property {string} codec
 * @property {number | null} level  of the sound, 0 to 1
 * @property {number} frames  decoded or encoded since the beginning
 */

/** @typedef {{at: number, bytes: number, packets: number, lost: number, frames: number}} Totals */

/** One meter for each sender or receiver. */
export class Meter {
    /** @type {Totals | null} */
    #before = null;

    /** @param {RTCRtpSender | RTCRtpReceiver} source */
    constructor(source) {
        this.source = source;
    }

    /** @returns {Promise<Figures>} */
    async sample() {
        const report = await this.source.getStats();
        /** @type {Record<string, any>[]} */
        const all = [];

        report.forEach((s) => all.push(s));
        const streams = all.filter((s) => s.type === 'inbound-rtp' || s.type === 'outbound-rtp');
        const remotes = all.filter((s) => s.type === 'remote-inbound-rtp');
        const pair = all.find((s) => s.type === 'candidate-pair' && s.state === 'succeeded'
            && s.currentRoundTripTime !== undefined);
        /* Of the layers of simulcast, the largest shows; their bytes add up. */
        const main = streams.reduce((best, s) => (s.frameWidth ?? 0) > (best?.frameWidth ?? -1)
            ? s : best, /** @type {Record<string, any> | undefined} */ (undefined));
        const now = totals(streams, remotes);
        const rates = this.#rates(now, main);
        const rtt = remotes.find((s) => s.roundTripTime !== undefined)?.roundTripTime
            ?? pair?.currentRoundTripTime;

        this.#before = now;
        return {
            width: main?.frameWidth ?? 0,
            height: main?.frameHeight ?? 0,
            ...rates,
            rttMs: rtt === undefined ? null : rtt * 1000,
            codec: codecOf(all, main),
            level: main?.audioLevel ?? all.find((s) => s.type === 'media-source')?.audioLevel ?? null,
            frames: now.frames,
        };
    }

    /** @param {Totals} now @param {Record<string, any> | undefined} main */
    #rates(now, main) {
        const before = this.#before;
        const seconds = before ? (now.at - before.at) / 1000 : 0;

        if (!before || seconds <= 0)
            return { fps: main?.framesPerSecond ?? 0, bitrate: null, loss: null };
        const packets = now.packets - before.packets;
        const lost = Math.max(0, now.lost - before.lost);

        return {
            fps: main?.framesPerSecond ?? Math.round((now.frames - before.frames) / seconds),
            bitrate: Math.max(0, (now.bytes - before.bytes) * 8 / seconds),
            loss: packets + lost > 0 ? lost / (packets + lost) : 0,
        };
    }
}

/** @param {Record<string, any>[]} streams @param {Record<string, any>[]} remotes @returns {Totals} */
function totals(streams, remotes) {
    /** @param {Record<string, any>[]} list @param {(s: Record<string, any>) => number | undefined} of */
    const sum = (list, of) => list.reduce((n, s) => n + (of(s) ?? 0), 0);
    /** @param {Record<string, any>} s */
    const lost = (s) => s.packetsLost;

    return {
        at: streams[0]?.timestamp ?? 0,
        bytes: sum(streams, (s) => s.bytesReceived ?? s.bytesSent),
        packets: sum(streams, (s) => s.packetsReceived ?? s.packetsSent),
        lost: sum(streams, lost) + sum(remotes, lost),
        frames: Math.max(0, ...streams.map((s) => s.framesDecoded ?? s.framesEncoded ?? 0)),
    };
}

/** @param {Record<string, any>[]} all @param {Record<string, any> | undefined} main @returns {string} */
function codecOf(all, main) {
    const codec = all.find((s) => s.type === 'codec' && s.id === main?.codecId);

    return codec ? String(codec.mimeType).replace(/^.*\//, '') : '';
}

/**
 * The figures in a few words each, in the order to show them.
 * @param {Figures} f
 * @returns {[string, string][]}
 */
export function describe(f) {
    /** @param {number | null} n @param {(n: number) => string} text */
    const known = (n, text) => n === null ? '–' : text(n);

    return [
        ['Size', f.width ? `${f.width}×${f.height}` : '–'],
        ['Frames', f.width ? `${Math.round(f.fps)}/s` : '–'],
        ['Rate', known(f.bitrate, (n) => n >= 999500 ? `${(n / 1e6).toFixed(2)} Mbit/s`
            : `${Math.round(n / 1000)} kbit/s`)],
        ['Loss', known(f.loss, (n) => `${(n * 100).toFixed(1)} %`)],
        ['Round trip', known(f.rttMs, (n) => n < 1 ? '< 1 ms' : `${Math.round(n)} ms`)],
        ['Codec', f.codec || '–'],
    ];
}
