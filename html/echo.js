/*
 * echo.js - the echo page.
 */
import { connect, echo, explain, Meter } from './sluice.js';
import { $, button, connectOptions, input, showFigures, video } from './lib/page.js';
import { LocalMedia } from './lib/local_media.js';

/** @typedef {import('./sluice.js').Session} Session */
/** @typedef {import('./sluice.js').Echo} Echo */

const texts = {
    new: 'Not started', connecting: 'Connecting …', connected: 'Connected',
    recovering: 'Reconnecting …', failed: 'Failed', closed: 'Stopped',
};

/** @type {Session | null} */
let session = null;
/** @type {Echo | null} */
let test = null;
/** @type {LocalMedia | null} */
let media = null;
/** @type {ReturnType<typeof setInterval> | undefined} */
let ticking;

/** @param {keyof typeof texts} state */
function showState(state) {
    $('state').dataset.state = state;
    $('state').textContent = texts[state];
}

/** @param {unknown} error  null: none */
function showError(error) {
    $('error').hidden = !error;
    $('error').textContent = error ? explain(error) : '';
}

/** @param {boolean} running */
function showRunning(running) {
    button('start').hidden = running;
    button('stop').hidden = !running;
}

function settings() {
    return {
        audio: input('audio').checked,
        video: input('video').checked,
        bitrate: Number(input('bitrate').value) * 1000,
    };
}

async function start() {
    button('start').disabled = true;
    showError(null);
    showState('connecting');
    try {
        media = new LocalMedia();
        await media.open(); /* one of the two is enough */
        video('local').srcObject = media.stream;
        session = await connect(connectOptions());
        session.on('failed', fail);
        session.on('state', ({ state }) => state === 'reconnecting' ? showState('recovering')
            : state === 'connected' && test && showState(test.peer.state));
        test = await echo(session, media.stream, settings());
        test.on('state', ({ state }) => showState(state));
        test.on('failed', fail);
        showState(test.peer.state);
        video('remote').srcObject = test.stream;
        showRunning(true);
        measure(test);
    } catch (error) {
        await fail(error);
    }
    button('start').disabled = false;
}

/** @param {Echo} running */
function measure(running) {
    const transceiver = running.peer.pc.getTransceivers()
        .find((t) => t.receiver.track.kind === 'video');

    if (!transceiver)
        return;
    const sent = new Meter(transceiver.sender);
    const received = new Meter(transceiver.receiver);

    ticking = setInterval(async () => {
        showFigures($('sent'), await sent.sample());
        showFigures($('received'), await received.sample());
    }, 1000);
}

/** @param {unknown} error */
async function fail(error) {
    await stop();
    showState('failed');
    showError(error);
}

async function stop() {
    const old = session;

    clearInterval(ticking);
    session = null;
    test?.close();
    test = null;
    media?.close();
    media = null;
    video('local').srcObject = video('remote').srcObject = null;
    showRunning(false);
    showState('closed');
    await old?.close();
}

button('start').onclick = start;
button('stop').onclick = stop;
for (const id of ['audio', 'video', 'bitrate'])
    input(id).onchange = () => test?.set(settings()).catch(showError);
input('bitrate').oninput = () => {
    const kbit = Number(input('bitrate').value);

    $('bitrate-value').textContent = kbit ? `${kbit} kbit/s` : 'no limit';
};
/* For tests and for the curious. */
Object.defineProperty(window, 'sluice', { get: () => ({ session, test, stream: media?.stream ?? null }) });
if (new URLSearchParams(location.search).get('autostart') === '1')
    start();
