// Every method of the sessions and handles of the unmodified janus.js, and every callback.
// The requests of the plugins are in janusjs-requests.mjs.

import assert from 'node:assert/strict';
import { assertAll } from '../lib/coverage.mjs';
import { LossyPath } from '../lib/lossy.mjs';
import { WsClient } from '../lib/protocol.mjs';
import { test } from '../lib/runner.mjs';

const callOf = (page, method) => page.evaluate((m) =>
  new Promise((success, error) => T.session()[m]({ success, error })), method);

// A page with janus.js that echoes audio, video and data through @path, by methods of the handle.
async function echo(page, path) {
  const offer = await page.evaluate(async () => {
    await T.attach('echo', 'janus.plugin.echotest');
    return T.offer('echo', [{ type: 'audio', capture: true, recv: true }, { type: 'video', capture: true, recv: true }, { type: 'data' }]);
  });
  await page.evaluate((jsep) => T.ask('echo', { audio: true, video: true }, (e) => e.result === 'ok', jsep), offer);
  const answer = await page.evaluate(() => T.lastJsep('echo'));
  await page.evaluate((jsep) => T.accept('echo', jsep), await path.through(answer));
  await page.waitFor(() => T.state('echo').up);
}

test('janus.js: every method and callback', {}, async (t) => {
  const server = await t.server({ media: { slowlink_threshold: 1 } });
  const path = new LossyPath();
  t.onClose(() => path.stop());
  const page = await t.client();
  await page.evaluate(() => T.rememberSockets());
  const id = await page.evaluate((url) => T.connect(url), server.ws);
  assert.deepEqual(await page.evaluate(() => [T.session().getServer(), T.session().isConnected(), T.session().getSessionId()]),
    [server.ws, true, id]);
  assert.ok((await callOf(page, 'getInfo')).plugins['janus.plugin.echotest']);
  await assert.rejects(page.evaluate(() => T.attach('none', 'janus.plugin.none')), /460/);

  await echo(page, path);
  const tracks = await page.evaluate(() => {
    const h = T.handle('echo');
    return { plugin: h.getPlugin(), id: h.getId(), local: h.getLocalTracks(), remote: h.getRemoteTracks() };
  });
  assert.equal(tracks.plugin, 'janus.plugin.echotest');
  assert.ok(Number.isInteger(tracks.id));
  for (const side of [tracks.local, tracks.remote])
    assert.deepEqual(side.map(({ mid, type }) => [mid, type]), [['0', 'audio'], ['1', 'video']]);
  await page.evaluate(() => T.seesMotion('echo', '1'));
  await page.evaluate(() => T.hearsSomething('echo', '0'));

  // Loudness and rates; the remote ones need statistics that newer browsers do not have.
  await page.evaluate(() => {
    const h = T.handle('echo');
    h.getVolume('0', () => {});
    h.getRemoteVolume('0', () => {});
    return new Promise((resolve) => h.getLocalVolume('0', resolve));
  });
  await page.waitFor(() => parseInt(T.handle('echo').getBitrate('1'), 10) > 0);
  await page.evaluate(() => T.handle('echo').setMaxBitrate('1', 100000));
  assert.equal(await page.evaluate(() => T.pc('echo').getSenders()[1].getParameters().encodings[0].maxBitrate), 100000);

  // A muted camera sends black pictures; frames go on.
  const muted = await page.evaluate(() => {
    const h = T.handle('echo');
    h.muteAudio('0');
    h.muteVideo('1');
    return [h.isAudioMuted('0'), h.isVideoMuted('1')];
  });
  assert.deepEqual(muted, [true, true]);
  await page.waitFor(() => T.look('echo', '1')?.colour.every((c) => c < 30));
  const heard = await page.evaluate(() => {
    const h = T.handle('echo');
    h.unmuteAudio('0');
    h.unmuteVideo('1');
    return [h.isAudioMuted('0'), h.isVideoMuted('1')];
  });
  assert.deepEqual(heard, [false, false]);
  await page.evaluate(() => T.seesMotion('echo', '1'));
  await page.evaluate(() => T.replaceTracks('echo', [{ type: 'video', mid: '1', video: { colour: [30, 30, 200] } }]));
  await page.waitFor(() => T.look('echo', '1')?.colour[2] > 140);

  await page.waitFor(() => T.state('echo').dataOpen);
  await page.evaluate(() => T.say('echo', 'hello'));
  await page.evaluate(() => new Promise((success, error) =>
    T.handle('echo').data({ data: 'again', label: 'mine', protocol: 'p', success, error })));
  await page.waitFor(() => T.state('echo').data.length === 2);
  assert.deepEqual((await page.evaluate(() => T.heard('echo'))).labels, ['JanusDataChannel', 'mine']);
  // One codec per m-line: telephone-event is not taken, and the browser says so.
  await assert.rejects(page.evaluate(() => T.handle('echo').dtmf({ dtmf: { tones: '1' } })), /InvalidStateError/);

  path.beBad(true);
  await page.waitFor(() => T.state('echo').events.some((e) => e.slowLink === false && e.lost > 0));
  path.beBad(false);

  // A lost socket, and the same session on a new one, while media goes on.
  await page.evaluate(() => T.breakSocket());
  await page.waitFor(() => !T.session().isConnected());
  await page.evaluate(() => T.reconnect());
  await page.evaluate(() => T.seesMotion('echo', '1'));
  assert.equal(await page.evaluate(() => T.session().getSessionId()), id);

  // Answers are made, too: TextRoom offers.
  await page.evaluate(() => T.attach('text', 'janus.plugin.textroom', async (entry, data, jsep) => {
    if (!jsep) return;
    const answer = await T.answer('text', { jsep, tracks: [{ type: 'data' }] });
    await T.ask('text', { request: 'ack' }, (e) => e.result === 'ok', answer);
  }));
  await page.evaluate(() => T.handle('text').send({ message: { request: 'setup' } }));
  await page.waitFor(() => T.state('text').dataOpen);

  await page.evaluate(() => T.handle('echo').hangup(true));
  await page.waitFor(() => T.state('echo').hangups.length && T.state('echo').events.some((e) => e.result === 'done'));
  await page.evaluate(() => T.detach('echo'));
  const other = await WsClient.open(server.ws); // somebody else detaches the handle
  const handle_id = await page.evaluate(() => T.handle('text').getId());
  assert.equal((await other.request({ janus: 'detach', session_id: id, handle_id })).janus, 'success');
  await page.waitFor(() => T.state('text').detached);
  await other.close();

  const used = await page.evaluate(() => T.coverage());
  await page.evaluate(() => T.destroy());
  assert.equal(await page.evaluate(() => T.destroyed), true);
  assertAll('methods of the session', used.session.offered, new Set([...used.session.used, 'destroy']));
  assertAll('methods of the handle', used.handle.offered, new Set(used.handle.used));
  assertAll('callbacks', used.callbacks.offered, new Set(used.callbacks.used));
});
