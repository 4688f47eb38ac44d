/*
 * tiles.js - the grid of participants on the conference page.
 */
import { Meter } from './stats.js';
import { node, showFigures } from './page.js';

/** @typedef {import('./subscriber.js').Id} Id */

/** Sound above this level is speech (1: as loud as can be), */
const SPEECH = 0.02;
/** and pauses of so many ms belong to it. */
const PAUSE_MS = 700;
const GAP = 12;
const ASPECT = 4 / 3;

const MUTED = 'M9 9v2a3 3 0 0 0 5 2M15 10V6a3 3 0 0 0-6-.5M5 11a7 7 0 0 0 11 6M12 18v3M4 3l16 18';

/** Who keeps a picture from being better. @type {Record<string, string>} */
const LIMITS = { receiver: 'your connection', sender: 'their connection', server: 'the server',
    unavailable: 'what they send', request: 'the size here' };

export class Tile {
    /** @type {MediaStreamTrack | null} */
    #track = null;
    /** @type {Meter | null} */
    #meter = null;
    #spoke = 0;
    /** @type {Record<string, any>} */
    metadata = {};
    /** What the server says of the picture. */
    verdict = 'good';

    /** @param {Id} id @param {boolean} self */
    constructor(id, self) {
        this.id = id;
        this.self = self;
        this.video = node('video', { autoplay: true, playsInline: true, muted: self });
        this.avatar = node('div', { className: 'avatar', ariaHidden: 'true' });
        this.label = node('span');
        this.name = node('figcaption', { className: 'name' }, mutedIcon(), this.label);
        this.figures = node('dl', { className: 'stats', hidden: true });
        this.element = node('figure', { className: 'tile dark' },
            this.avatar, this.video, this.figures, this.name);
        this.element.dataset.feed = String(id);
        this.element.classList.toggle('self', self);
        this.video.onplaying = () => this.show();
        this.show();
    }

    /** @param {string} name @param {Record<string, any>} metadata */
    describe(name, metadata) {
        const shown = name || `Guest ${String(this.id).slice(-4)}`;

        this.metadata = metadata;
        this.label.textContent = this.self ? `${shown} (you)` : shown;
        this.video.setAttribute('aria-label', `Video of ${shown}`);
        this.avatar.textContent = initials(shown);
        this.element.style.setProperty('--hue', String(hue(shown)));
        this.show();
    }

    /** @param {MediaStream | null} stream */
    play(stream) {
        if (this.video.srcObject !== stream)
            this.video.srcObject = stream;
        return stream ? this.video.play() : Promise.resolve();
    }

    /**
     * @param {MediaStreamTrack | null} track  of video
     * @param {RTCRtpSender | RTCRtpReceiver | null} source  of the figures
     */
    picture(track, source) {
        if (this.#track)
            this.#track.onmute = this.#track.onunmute = null;
        this.#track = track;
        if (track)
            track.onmute = track.onunmute = () => this.show();
        if (source !== this.#meter?.source)
            this.#meter = source && new Meter(source);
        this.show();
    }

    show() {
        const { audio, video, screen } = this.metadata;
        const classes = this.element.classList;

        classes.toggle('dark', video === false || !this.#track || (!this.self && this.#track.muted));
        classes.toggle('mirror', this.self && !screen);
        classes.toggle('contain', screen === true);
        this.name.querySelector('svg')?.toggleAttribute('hidden', audio !== false);
    }

    /** @param {number | null} level  of the sound */
    hear(level) {
        const now = Date.now();

        if (level !== null && level > SPEECH)
            this.#spoke = now;
        this.element.classList.toggle('speaking', now - this.#spoke < PAUSE_MS);
    }

    /** @param {number | null} rttMs  where this one knows none: the one to the server */
    async measure(rttMs) {
        const figures = await this.#meter?.sample();

        if (figures)
            showFigures(this.figures, { ...figures, rttMs: figures.rttMs ?? rttMs },
                LIMITS[this.verdict] ? [['Limited by', LIMITS[this.verdict]]] : []);
        return figures?.rttMs ?? null;
    }
}

export class Tiles {
    /** @type {Map<Id, Tile>} */
    #tiles = new Map();
    #figures = false;

    /** @param {HTMLElement} grid */
    constructor(grid) {
        this.grid = grid;
        new ResizeObserver(() => this.#layout()).observe(grid);
    }

    /** @param {Id} id @returns {Tile | undefined} */
    find(id) {
        return this.#tiles.get(id);
    }

    all() {
        return [...this.#tiles.values()];
    }

    /** @param {Id} id @param {boolean} [self] @returns {Tile} */
    get(id, self = false) {
        let tile = this.#tiles.get(id);

        if (!tile) {
            tile = new Tile(id, self);
            tile.figures.hidden = !this.#figures;
            this.#tiles.set(id, tile);
            this.grid.append(tile.element);
            this.#layout();
        }
        return tile;
    }

    /** @param {Id} id */
    remove(id) {
        const tile = this.#tiles.get(id);

        if (!tile)
            return;
        tile.play(null).catch(() => {});
        tile.picture(null, null);
        tile.element.remove();
        this.#tiles.delete(id);
        this.#layout();
    }

    clear() {
        for (const id of [...this.#tiles.keys()])
            this.remove(id);
    }

    /** @param {boolean} on */
    showFigures(on) {
        this.#figures = on;
        for (const tile of this.#tiles.values())
            tile.figures.hidden = !on;
    }

    /** The widest tiles of which all are in sight. */
    #layout() {
        const style = getComputedStyle(this.grid);
        const width = this.grid.clientWidth - parseFloat(style.paddingLeft) * 2;
        const height = this.grid.clientHeight - parseFloat(style.paddingTop) * 2;
        const count = this.#tiles.size;
        let best = 0;

        for (let columns = 1; columns <= count; columns++) {
            const rows = Math.ceil(count / columns);
            const fits = Math.min((width - GAP * (columns - 1)) / columns,
                (height - GAP * (rows - 1)) / rows * ASPECT);

            best = Math.max(best, fits);
        }
        /* Too many for the window: better scroll than stamps. */
        best = Math.max(best, Math.min(160, (width - GAP) / 2));
        if (width > 0)
            this.grid.style.setProperty('--tile-w', `${Math.floor(best)}px`);
    }
}

/** @param {string} name @returns {string} */
function initials(name) {
    const words = name.trim().split(/\s+/);
    const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;

    return letters.map((word) => [...word][0] ?? '').join('').toUpperCase();
}

/** The same colour for the same name everywhere. @param {string} name */
function hue(name) {
    return [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360, 7);
}

/** @returns {SVGSVGElement} */
function mutedIcon() {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const path = document.createElementNS(svg.namespaceURI, 'path');
    const title = document.createElementNS(svg.namespaceURI, 'title');

    title.textContent = 'Microphone off';
    path.setAttribute('d', MUTED);
    for (const [name, value] of Object.entries({ viewBox: '0 0 24 24', fill: 'none', role: 'img',
        stroke: 'currentColor', 'stroke-width': '2', 'stroke-linecap': 'round' }))
        svg.setAttribute(name, value);
    svg.append(title, path);
    svg.toggleAttribute('hidden', true);
    return /** @type {SVGSVGElement} */ (svg);
}
