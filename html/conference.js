/*
 * conference.js - the conference page: a form, then a grid of everybody in the room.
 */
import { connect, explain, join, listRooms, SluiceError } from './sluice.js';
import { $, button, connectOptions, input, node, select, video } from './lib/page.js';
import { listDevices, LocalMedia } from './lib/local_media.js';
import { Tiles } from './lib/tiles.js';

/** @typedef {import('./sluice.js').Session} Session */
/** @typedef {import('./sluice.js').Room} Room */
/** @typedef {import('./sluice.js').Participant} Participant */
/** @typedef {import('./sluice.js').RemoteTrack} RemoteTrack */

const query = new URLSearchParams(location.search);
/** So many videos, of those who speak; 0: everybody's. */
const SLOTS = Math.min(Number(query.get('slots')) || 0, 16);
const media = new LocalMedia();
const tiles = new Tiles($('grid'));
/** @type {Session | null} */
let session = null;
/** @type {Room | null} */
let room = null;
/** @type {Record<string, any>[]} */
let rooms = [];
/** @type {Record<string, string>} by direction */
let peers = {};
/** @type {ReturnType<typeof setInterval>[]} */
let timers = [];
let joining = false;

/* ---- what the page says ---- */

/** @type {Record<string, string>} */
const states = {
    new: 'Not connected', connecting: 'Connecting …', connected: 'Connected',
    recovering: 'Restoring sound and picture …', reconnecting: 'Looking for the server …',
    failed: 'Connection failed', closed: 'Not connected',
};

function showState() {
    const values = Object.values(peers);
    const state = !room ? joining ? 'connecting' : 'new'
        : values.includes('failed') ? 'failed'
        : session?.state === 'reconnecting' ? 'reconnecting'
        : values.includes('recovering') ? 'recovering'
        : values.some((v) => v === 'new' || v === 'connecting') ? 'connecting' : 'connected';

    setState(state);
}

/** @param {string} state */
function setState(state) {
    if ($('state').dataset.state === state)
        return;
    $('state').dataset.state = state;
    $('state').textContent = states[state];
}

/** @param {unknown} error  null: none @param {boolean} [over]  the conference is over by it */
function showError(error, over = false) {
    const text = error ? typeof error === 'string' ? error : explain(error) : '';

    $('error').hidden = $('call').hidden || !text;
    $('error-text').textContent = text;
    $('lobby-error').hidden = $('lobby').hidden || !text;
    $('lobby-error').textContent = text;
    button('again').hidden = !over;
}

/** @param {string} text */
function tell(text) {
    $('news').textContent = text;
}

/** @param {boolean} call  the conference, or the form before it */
function showCall(call) {
    $('lobby').hidden = call;
    $('call').hidden = !call;
}

/* ---- the form ---- */

async function showRooms() {
    try {
        const found = await connect(connectOptions());

        if (session) {
            await found.close();
            return;
        }
        session = found;
        rooms = await listRooms(session);
    } catch (error) {
        if (!room && !joining)
            showError(error);
        return;
    }
    $('rooms').replaceChildren(...rooms.slice(0, 12).map((r) => {
        const chip = node('button', { className: 'chip', type: 'button' },
            `${r.description || r.room} · ${r.num_participants || 'nobody'} there`);

        chip.dataset.room = String(r.room);
        chip.title = `Room ${r.room}`;
        chip.onclick = () => {
            input('room').value = String(r.room);
            roomChosen();
        };
        return chip;
    }));
    $('rooms-hint').hidden = !rooms.length;
    roomChosen();
}

/** The room of the form, in the type that the server uses. */
function roomId() {
    const text = input('room').value.trim();
    const known = rooms.find((r) => String(r.room) === text);
    const isNumber = /^\d+$/.test(text) && Number.isSafeInteger(Number(text));

    return known?.room ?? (isNumber ? Number(text) : text);
}

function roomChosen() {
    const id = roomId();

    for (const chip of $('rooms').querySelectorAll('button'))
        chip.setAttribute('aria-pressed', String(chip.dataset.room === String(id)));
    $('pin-field').hidden = !input('pin').value
        && rooms.find((r) => r.room === id)?.pin_required !== true;
}

async function preview() {
    showError(null);
    try {
        await media.open();
        await fillDevices();
    } catch (error) {
        showError(error);
    }
}

/* ---- joining and leaving ---- */

async function enter() {
    if (joining || room)
        return;
    joining = true;
    button('join').disabled = button('again').disabled = true;
    showError(null);
    showState();
    const opening = media.open().then(() => null, (error) => error);
    /** @type {Room | null} */
    let entered = null;

    try {
        await joinRoom();
        entered = room;
        const problem = await opening;

        if (problem && room)
            showError(`${explain(problem)} You see and hear the others, but they do not see or hear you.`);
        await publish();
    } catch (error) {
        if (!entered)
            refuse(error);
        else if (room === entered)
            showError(error);
    }
    if (entered && !room) { /* left before the camera was there */
        media.close();
        showSelf();
    }
    joining = false;
    button('join').disabled = button('again').disabled = false;
    showState();
    fillDevices();
}

/** @param {unknown} error  why we did not get in */
function refuse(error) {
    showCall(false);
    showError(error);
    if (error instanceof SluiceError && error.kind === 'plugin' && /\bpin\b/.test(error.message)) {
        $('pin-field').hidden = false;
        input('pin').focus();
    }
}

async function joinRoom() {
    const pin = input('pin').value;
    const display = input('name').value.trim();
    const entered = session && session.state !== 'closed' ? session : await connect(connectOptions());

    if (session && session !== entered)
        session.close();
    session = entered;
    peers = {};
    const { audio, video: picture } = media.wants;
    const joined = await join(entered, roomId(),
        { display, metadata: { audio, video: picture }, ...(pin && { pin }) });

    room = joined;
    watch(entered, joined);
    showCall(true);
    $('where').textContent = joined.description || `Room ${joined.id}`;
    document.title = `${$('where').textContent} – Sluice`;
    tell(`You joined. ${joined.participants.size} others are here.`);
    tiles.get(joined.myId, true).describe(display, media.state);
    for (const participant of joined.participants.values())
        showParticipant(participant);
    subscribe([...joined.participants.values()]);
    timers = [setInterval(listen, 250), setInterval(measure, 1000)];
}

async function publish() {
    const current = room;

    if (!current)
        return;
    const publisher = await current.publish(media.sending(),
        { simulcast: query.get('simulcast') !== '0' });

    publisher.on('rejected', ({ kind }) => showError(`This room takes no ${kind} from your browser.`));
    showSelf();
    tellState();
}

/** @param {Participant} participant */
function soundOf({ id, streams }) {
    return (streams ?? []).filter((s) => s.type === 'audio' && !s.disabled)
        .map((s) => ({ feed: id, mid: s.mid }));
}

/** @param {Participant[]} participants */
function subscribe(participants) {
    const there = participants.filter((p) => p.streams?.length !== 0);
    const feeds = SLOTS ? there.flatMap(soundOf) : there.map((p) => p.id);
    const slots = Array.from({ length: SLOTS }, (_, slot) => ({ slot }));

    if (feeds.length)
        room?.subscribe([...slots, ...feeds]).catch((error) => room && !isGone(error) && showError(error));
}

/** Whether somebody left, we or who was to be seen, while that was being arranged. @param {any} error */
function isGone(error) {
    return error.kind === 'closed' || error.code === 428;
}

/** @param {Session} entered @param {Room} joined */
function watch(entered, joined) {
    entered.on('state', showState);
    joined.on('state', ({ direction, state }) => {
        peers[direction] = state;
        showState();
    });
    joined.on('joined', showParticipant);
    joined.on('changed', showParticipant);
    joined.on('published', (participant) => {
        if (!tiles.find(participant.id))
            tell(`${participant.display || 'Somebody'} joined.`);
        showParticipant(participant);
        subscribe([participant]);
    });
    joined.on('unpublished', showParticipant);
    joined.on('left', ({ participant }) => {
        tiles.remove(participant.id);
        tell(`${participant.display || 'Somebody'} left.`);
    });
    joined.on('talking', ({ id, talking }) => talking && tiles.find(id)?.hear(1));
    joined.on('speaker', ({ id }) => tiles.find(id)?.hear(1));
    joined.on('moderated', ({ id, mid, muted }) => {
        const what = joined.publisher?.transceiver('audio')?.mid === mid ? 'microphone' : 'camera';

        if (id === joined.myId)
            showError(muted ? `A moderator switched your ${what} off for the others.` : null);
    });
    joined.on('track', (track) => showTrack(joined, track));
    joined.on('quality', ({ feed, mid, verdict }) => {
        const line = joined.subscriber.tracks.find((track) => track.mid === mid);
        const tile = tiles.find(feed);

        if (tile && line?.kind === 'video')
            tile.verdict = verdict;
    });
    joined.on('trackremoved', ({ feed, kind }) => {
        if (kind === 'video')
            tiles.find(feed)?.picture(null, null);
    });
    joined.on('ended', ({ reason }) => room === joined && over(reason === 'kicked'
        ? 'You were removed from the room.' : reason === 'destroyed' ? 'The room was closed.' : null));
    joined.on('failed', (error) => room === joined && over(error));
}

/** The conference ended without being asked to. @param {unknown} why */
async function over(why) {
    const failed = why instanceof SluiceError;

    await leave();
    if (!why)
        return;
    showCall(true);
    showError(why, true);
    setState(failed ? 'failed' : 'closed');
    button('again').focus();
}

async function leave() {
    const old = room;

    room = null;
    peers = {};
    timers.splice(0).forEach(clearInterval);
    tiles.clear();
    media.unshare();
    showCall(false);
    showError(null);
    $('sound').hidden = true;
    $('where').textContent = 'Conference';
    showState();
    await old?.leave().catch(() => {});
}

/* ---- tiles ---- */

/** @param {Participant} participant */
function showParticipant(participant) {
    tiles.get(participant.id).describe(participant.display, participant.metadata);
}

/** @param {Room} joined @param {RemoteTrack} line */
function showTrack(joined, line) {
    const { feed, kind, track, stream, transceiver } = line;
    const participant = joined.participants.get(feed);
    const tile = tiles.get(feed);

    if (participant)
        tile.describe(participant.display, participant.metadata);
    if (kind === 'video') {
        tile.picture(track, transceiver.receiver);
        joined.subscriber.watch(line, tile.element);
    }
    tile.play(stream).catch((error) => {
        if (error.name === 'NotAllowedError')
            $('sound').hidden = false;
    });
}

function showSelf() {
    const tile = room && tiles.find(room.myId);
    const sending = media.sending();

    if (media.track('video')) /* without one it would hold up the load event of the page */
        show(video('preview-video'), media.stream);
    $('preview-tile').classList.toggle('dark', !media.track('video'));
    $('preview-hint').hidden = media.stream.getTracks().length > 0;
    press('mic', media.state.audio);
    press('cam', media.track('video') !== undefined);
    press('share', media.screen !== null);
    if (!tile)
        return;
    if (sending.getVideoTracks().length)
        show(tile.video, sending);
    tile.picture(sending.getVideoTracks()[0] ?? null,
        room?.publisher?.transceiver('video')?.sender ?? null);
    tile.describe(input('name').value.trim(), media.state);
}

/** @param {HTMLVideoElement} element @param {MediaStream} stream */
function show(element, stream) {
    if (element.srcObject !== stream)
        element.srcObject = stream;
    element.play().catch(() => {});
}

/** @param {string} id @param {boolean} on */
function press(id, on) {
    $(id).setAttribute('aria-pressed', String(on));
}

/** Tells the others whether microphone and camera are on. */
function tellState() {
    room?.describe({ metadata: media.state }).catch(() => {});
}

async function listen() {
    const current = room;

    if (!current)
        return;
    for (const { feed, kind, transceiver } of current.subscriber.tracks)
        if (kind === 'audio')
            tiles.find(feed)?.hear(transceiver.receiver.getSynchronizationSources()[0]?.audioLevel ?? null);
    const report = await current.publisher?.transceiver('audio')?.sender.getStats();
    /** @type {number | null} */
    let level = null;

    report?.forEach((s) => {
        if (s.type === 'media-source' && media.state.audio)
            level = s.audioLevel ?? null;
    });
    tiles.find(current.myId)?.hear(level);
}

async function measure() {
    if (!room || $('stats').getAttribute('aria-pressed') !== 'true')
        return;
    const rttMs = await tiles.find(room.myId)?.measure(null) ?? null;

    await Promise.all(tiles.all().filter((tile) => !tile.self).map((tile) => tile.measure(rttMs)));
}

/* ---- devices and controls ---- */

async function fillDevices() {
    for (const [id, kind, mine] of /** @type {const} */ ([
        ['microphone', 'audioinput', 'audio'], ['camera', 'videoinput', 'video']])) {
        const devices = await listDevices(kind);
        const used = media.track(mine)?.getSettings().deviceId ?? media.chosen[mine];

        select(id).replaceChildren(...devices.length
            ? devices.map((device) => new Option(device.label, device.id, false, device.id === used))
            : [new Option('None found', '')]);
        select(id).disabled = !devices.length;
    }
}

/** @param {() => Promise<unknown> | void} work */
async function attempt(work) {
    showError(null);
    try {
        await work();
    } catch (error) {
        showError(error);
    }
}

async function share() {
    if (media.screen) {
        media.unshare();
        return;
    }
    try {
        await media.share();
    } catch (error) {
        if (!(error instanceof DOMException && error.name === 'NotAllowedError'))
            throw error; /* the other is the person's choice */
    }
}

media.on('track', ({ kind, track }) => room?.publisher?.replaceTrack(kind, track)
    .then(showSelf).catch(showError));
media.on('change', () => {
    showSelf();
    if (room?.publisher)
        tellState();
});
$('join-form').onsubmit = (event) => {
    event.preventDefault();
    try {
        localStorage.setItem('sluice.name', input('name').value);
    } catch { /* private windows may forbid it */ }
    enter();
};
input('room').oninput = roomChosen;
button('preview').onclick = preview;
button('again').onclick = enter;
button('leave').onclick = async () => {
    await leave();
    media.close();
    showSelf();
    input('name').focus();
};
button('mic').onclick = () => attempt(() => media.switch('audio', !media.state.audio));
button('cam').onclick = () => attempt(() => media.switch('video', !media.track('video')));
button('share').onclick = () => attempt(share);
button('share').disabled = !navigator.mediaDevices?.getDisplayMedia;
button('stats').onclick = () => {
    const on = $('stats').getAttribute('aria-pressed') !== 'true';

    press('stats', on);
    tiles.showFigures(on);
    measure();
};
button('sound-on').onclick = () => {
    $('sound').hidden = true;
    tiles.all().forEach((tile) => tile.video.play().catch(() => {}));
};
for (const id of ['devices', 'lobby-devices'])
    button(id).onclick = async () => {
        if (!room)
            await preview(); /* devices have no names for a page that uses none */
        await fillDevices();
        /** @type {HTMLDialogElement} */ ($('settings')).showModal();
    };
select('microphone').onchange = () => attempt(() => media.choose('audio', select('microphone').value));
select('camera').onchange = () => attempt(() => media.choose('video', select('camera').value));
select('quality').onchange = () => attempt(() => {
    const [width, height] = select('quality').value.split('x').map(Number);

    return media.resize(width, height);
});
navigator.mediaDevices?.addEventListener('devicechange', fillDevices);
document.onkeydown = (event) => {
    const id = { m: 'mic', v: 'cam', s: 'share', i: 'stats' }[event.key];
    const typing = event.target instanceof Element && event.target.closest('input, select, dialog');

    if (id && room && !typing && !event.ctrlKey && !event.altKey && !event.metaKey)
        button(id).click();
};

/* ---- start ---- */

let remembered = '';

try {
    remembered = localStorage.getItem('sluice.name') ?? '';
} catch { /* as above */ }
input('name').value = query.get('name') ?? remembered;
input('room').value = query.get('room') ?? '1234';
input('pin').value = query.get('pin') ?? '';
media.wants = { audio: query.get('audio') !== '0', video: query.get('video') !== '0' };
if (query.get('stats') === '1')
    button('stats').click();
showSelf();
/* For tests and for the curious. */
Object.defineProperty(window, 'sluice', { get: () => ({
    session, room, publisher: room?.publisher ?? null, stream: media.stream }) });
if (query.get('autojoin') === '1') {
    input('name').value ||= 'Guest';
    enter();
} else {
    showRooms();
    input('name').focus();
}
