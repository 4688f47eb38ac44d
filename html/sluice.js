/*
 * sluice.js - conferences with a Sluice server, from a web page.
 *
 *   import { connect, join } from './sluice.js';
 *
 *   const session = await connect();
 *   const room = await join(session, 1234, { display: 'Ada' });
 *
 *   room.on('track', ({ feed, stream }) => videoOf(feed).srcObject = stream);
 *   room.on('published', ({ id }) => room.subscribe([id]));
 *   room.on('failed', (error) => alert(explain(error)));
 *   await room.subscribe([...room.participants.keys()]);
 *   await room.publish(await navigator.mediaDevices.getUserMedia({ audio: true, video: true }));
 *
 * What breaks on the way is repaired without being asked: a lost connection to the server (the
 * session is claimed on a new one) and a lost way for media (ICE is restarted), each in a bounded
 * number of tries. What cannot be repaired is told once, by the event `failed`.
 *
 * The types are JSDoc: `tsc --checkJs --strict` and editors understand them.
 */
import { Session } from './lib/session.js';

export { SluiceError, explain } from './lib/errors.js';
export { Emitter } from './lib/events.js';
export { Session } from './lib/session.js';
export { Handle } from './lib/handle.js';
export { Peer } from './lib/peer.js';
export { Publisher } from './lib/publisher.js';
export { Subscriber } from './lib/subscriber.js';
export { Room, join, listRooms } from './lib/room.js';
export { Echo, echo } from './lib/echo.js';
export { Meter, describe } from './lib/stats.js';

/** @typedef {import('./lib/session.js').ConnectOptions} ConnectOptions */
/** @typedef {import('./lib/room.js').JoinOptions} JoinOptions */
/** @typedef {import('./lib/room.js').Participant} Participant */
/** @typedef {import('./lib/publisher.js').PublishOptions} PublishOptions */
/** @typedef {import('./lib/subscriber.js').Feed} Feed */
/** @typedef {import('./lib/subscriber.js').Id} Id */
/** @typedef {import('./lib/subscriber.js').RemoteTrack} RemoteTrack */
/** @typedef {import('./lib/stats.js').Figures} Figures */

/**
 * Connects to the server: over a WebSocket, or long polls where that does not get through.
 * Throws a SluiceError when neither does, or when the server refuses.
 * @param {ConnectOptions} [options]
 * @returns {Promise<Session>}
 */
export async function connect(options) {
    const session = new Session(options);

    await session.open();
    return session;
}
