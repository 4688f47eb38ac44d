/*
 * errors.js - one error class for everything that goes wrong, and a sentence for people about it.
 *
 * `kind` tells where it went wrong, `code` is the number of the server where there is one.
 */

/**
 * - `transport`: the server cannot be reached
 * - `lost`: the session is over and could not be taken up again
 * - `timeout`: a request stayed without an answer
 * - `core`: the server refused a request of the session protocol
 * - `plugin`: a plugin refused a request (for example: no such room)
 * - `ice`: no way for media to and from the server, in spite of all tries
 * - `closed`: asked of something that is closed
 * @typedef {'transport' | 'lost' | 'timeout' | 'core' | 'plugin' | 'ice' | 'closed'} ErrorKind
 */

export class SluiceError extends Error {
    /**
     * @param {ErrorKind} kind
     * @param {string} message
     * @param {{code?: number, cause?: unknown}} [more]
     */
    constructor(kind, message, more = {}) {
        super(message);
        this.name = 'SluiceError';
        /** @readonly @type {ErrorKind} */
        this.kind = kind;
        /** @readonly @type {number} 0 where the server gave none */
        this.code = more.code ?? 0;
        /** @readonly @type {unknown} */
        this.cause = more.cause;
    }
}

/** @type {Record<number, string>} by code of the session protocol */
const core = {
    403: 'The server wants a password or token that this page does not have.',
    405: 'This token does not give access to the service.',
    458: 'The session has ended on the server.',
    460: 'The server does not offer this service: the plugin is not loaded.',
    472: 'The server takes no new visitors at the moment. Try again later.',
};

/** @type {Record<number, string>} by code of the VideoRoom plugin */
const plugin = {
    426: 'There is no such room.',
    428: 'This participant is not there any more.',
    432: 'The room is full: as many people as it allows are sending already.',
    436: 'Somebody with this id is in the room already.',
};

/** @type {Record<string, string>} by name of the DOMException of getUserMedia */
const devices = {
    NotAllowedError: 'The browser was not allowed to use the camera or microphone.',
    NotFoundError: 'No camera or microphone was found.',
    NotReadableError: 'The camera or microphone is in use by another program.',
    OverconstrainedError: 'The chosen camera or microphone is not there any more.',
    SecurityError: 'Browsers allow cameras only on localhost or over HTTPS.',
};

/**
 * A sentence for the people in front of the page.
 * @param {unknown} error
 * @returns {string}
 */
export function explain(error) {
    if (!(error instanceof SluiceError)) {
        const known = error instanceof Error ? devices[error.name] : undefined;

        return known ?? (error instanceof Error ? error.message : String(error));
    }
    switch (error.kind) {
    case 'transport':
        return 'The server cannot be reached. Is it running, and is the network up?';
    case 'lost':
        return 'The connection to the server was lost and could not be restored.';
    case 'timeout':
        return 'The server did not answer in time.';
    case 'ice':
        return 'Sound and picture cannot reach the server: a firewall may block UDP.';
    case 'closed':
        return 'The connection is closed.';
    case 'core':
        return core[error.code] ?? `The server refused: ${error.message}.`;
    case 'plugin':
        if (/\bpin\b/.test(error.message))
            return error.code === 429 ? 'This room needs a PIN.' : 'This is not the PIN of the room.';
        return plugin[error.code] ?? `The server refused: ${error.message}.`;
    }
}
