// What the administrator sees of a browser's connection, and its packets in a capture.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { isRtcp, readPcap, rtp } from '../lib/pcap.mjs';
import { test } from '../lib/runner.mjs';
import { until } from '../lib/until.mjs';

const run = promisify(execFile);

const CF = [['chromium', 'lite'], ['firefox', 'lite'], ['chromium', 'full'], ['firefox', 'full']];

async function start(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-e2e-'));
  t.onClose(() => fs.rmSync(folder, { recursive: true }));
  const server = await t.server({ admin: { enabled: 'yes', secret: 's', capture_dir: folder } });
  const ask = async (janus, where = '', members = {}) => {
    const r = await fetch(server.adminHttp + where, { method: 'POST',
      body: JSON.stringify({ janus, transaction: 't', admin_secret: 's', ...members }) });
    return r.json();
  };
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate(() => T.echo());
  await page.evaluate(() => T.seesMotion('echo', '1'));
  const [session] = (await ask('list_sessions')).sessions;
  const [handle] = (await ask('list_handles', `/${session}`)).handles;
  return { folder, server, page, ask, handle: `/${session}/${handle}` };
}

// What dashboards read at least.
test('the administrator sees a connection', { variants: CF, tags: ['asan'] }, async (t) => {
  const { ask, handle } = await start(t);
  const { info } = await ask('handle_info', handle);
  const { ice, dtls, media, extensions } = info.webrtc;

  assert.equal(info.flags.ready, true);
  assert.equal(info['ice-mode'], t.ice);
  assert.match(info.sdps.local, /^v=0\r\n[^]*a=fingerprint/);
  assert.match(info.sdps.remote, /^v=0\r\n/);
  assert.equal(ice.state, 'ready');
  assert.match(ice['selected-pair'], /^[\d.]+:\d+ \[host,udp\] <-> [\d.]+:\d+ \[(host|prflx),udp\]$/);
  assert.match(ice['local-candidates'][0], /^\S+ 1 udp \d+ [\d.:a-f]+ \d+ typ host/i);
  assert.ok(ice['remote-candidates'].length > 0);
  assert.equal(dtls['dtls-state'], 'connected');
  assert.match(dtls['srtp-profile'], /GCM|AES/);
  for (const way of ['in', 'out']) assert.ok(dtls.stats[way].packets >= 2 && dtls.stats[way].bytes > 300, JSON.stringify(dtls.stats));
  assert.ok(info.sdps.remote.includes(`a=msid:${media['1'].msid['remote-stream']} ${media['1'].msid['remote-track']}`));
  assert.match(dtls['remote-fingerprint'], /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  assert.ok(info.sdps.remote.toUpperCase().includes(dtls['remote-fingerprint']));
  assert.equal(extensions['urn:ietf:params:rtp-hdrext:sdes:mid'] > 0, true);
  for (const [mid, type, codec] of [['0', 'audio', 'opus'], ['1', 'video', 'vp8']]) {
    const m = media[mid];
    assert.deepEqual([m.type, m.mid, m.mindex, m.codecs.codec], [type, mid, Number(mid), codec]);
    assert.deepEqual(m.direction, { send: true, recv: true });
    assert.ok(m.stats.in.packets > 0 && m.stats.out.packets > 0, JSON.stringify(m.stats));
    assert.ok(m.stats.in.bytes > m.stats.in.packets);
    assert.ok(m.ssrc.ssrc && m.ssrc['ssrc-peer'], JSON.stringify(m.ssrc));
    assert.equal(m.rtcp.main.base, type === 'audio' ? 48000 : 90000);
    assert.ok(m.rtcp.main['in-link-quality'] > 50);
  }
  const { bwe } = await until('more packets, and an estimate', async () => {
    const { media: { 1: { stats } }, bwe } = (await ask('handle_info', handle)).info.webrtc;
    return stats.in.packets > media['1'].stats.in.packets && stats.in.bytes_lastsec > 0 && stats.out.bytes_lastsec > 0 &&
      bwe.estimate > 0 && { bwe };
  });
  assert.ok(bwe.target > 0 && bwe.why, JSON.stringify(bwe));
  assert.ok(bwe.queue >= 0 && bwe['held-packets'] >= 0 && bwe['held-bytes'] >= 0, JSON.stringify(bwe));
  const only = await ask('handle_info', handle, { plugin_only: true });
  assert.equal(only.info.webrtc, undefined);
  assert.equal(typeof only.info.plugin_specific, 'object');
});

// The sequence numbers of each stream are there without a gap.
function assertWhole(packets, ssrc) {
  const all = [...new Set(packets.map(rtp).filter((r) => r.ssrc === ssrc).map((r) => r.seq))];
  const first = all[0];
  const rel = all.map((s) => ((s - first + 0x18000) & 0xffff) - 0x8000).sort((a, b) => a - b);
  const missing = rel.filter((s, i) => i > 0 && s !== rel[i - 1] + 1).length;
  assert.ok(all.length > 20, `${all.length} packets of ${ssrc}`);
  assert.ok(missing <= all.length / 50, `${missing} gaps in ${all.length} packets`);
}

test('a capture has the packets of both directions', { variants: CF, tags: ['asan'] }, async (t) => {
  const { server, page, ask, handle, folder } = await start(t);
  const ok = async (...args) => assert.equal((await ask(...args)).janus, 'success');
  const file = path.join(folder, 'echo.pcap');

  await ok('start_pcap', handle, { filename: 'echo.pcap' });
  const { info } = await ask('handle_info', handle);
  assert.equal(info['dump-to-pcap'], true);
  assert.equal(info['pcap-file'], file);
  await page.evaluate(() => T.sleep(3000));
  const counted = (await ask('handle_info', handle)).info;
  await ok('stop_pcap', handle);
  await until('a whole file', () => !server.hasOpen(file));

  assert.ok(counted['captured-packets'] > 0);
  assert.equal(counted['captured-dropped'], 0);
  const packets = readPcap(file);
  assert.ok(packets.length >= counted['captured-packets']);
  const pair = counted.webrtc.ice['selected-pair'].match(/^(\S+) .*<-> (\S+) /);
  const came = packets.filter((p) => p.from === pair[2] && p.to === pair[1]);
  const left = packets.filter((p) => p.from === pair[1] && p.to === pair[2]);
  assert.equal(came.length + left.length, packets.length, 'between the selected pair');
  for (const mid of ['0', '1']) {
    const { ssrc, codecs } = counted.webrtc.media[mid];
    assertWhole(came.filter((p) => !isRtcp(p)), ssrc['ssrc-peer']);
    assertWhole(left.filter((p) => !isRtcp(p)), ssrc.ssrc);
    assert.ok(left.some((p) => !isRtcp(p) && rtp(p).ssrc === ssrc.ssrc && rtp(p).pt === codecs.pt));
  }
  // Clear text: compound RTCP that begins with a report, of which there are some each second.
  for (const list of [came, left]) {
    const reports = list.filter((p) => isRtcp(p) && [200, 201].includes(p.payload[1]));
    assert.ok(reports.length >= 2, `${reports.length} reports`);
    for (const p of reports) assert.ok((p.payload.readUInt16BE(2) + 1) * 4 <= p.payload.length);
  }
  // An echo: what came in clear text left again, behind another header.
  const bodies = new Set(came.filter((p) => !isRtcp(p)).map((p) => rtp(p).body.toString('hex')));
  const audio = counted.webrtc.media['0'].ssrc.ssrc;
  const echoed = left.filter((p) => !isRtcp(p) && rtp(p).ssrc === audio);
  const same = echoed.filter((p) => bodies.has(rtp(p).body.toString('hex')));
  assert.ok(same.length > echoed.length * 0.9, `${same.length} of ${echoed.length} packets of audio`);
  await opensInTshark(file, packets.length, pair[1].split(':')[1]);
});

async function opensInTshark(file, n, port) {
  try {
    await run('tshark', ['-v']);
  } catch {
    console.log('  (tshark is not installed: its reading of the capture is not compared)');
    return;
  }
  const { stdout } = await run('tshark', ['-r', file, '-d', `udp.port==${port},rtp`, '-T', 'fields', '-e', 'frame.protocols'],
    { maxBuffer: 1 << 26 });
  const out = stdout.trim().split('\n');
  assert.equal(out.length, n);
  assert.ok(out.every((l) => l.startsWith('raw:ip:udp')), out[0]);
  assert.ok(out.filter((l) => /:rtp|:rtcp/.test(l)).length > n * 0.9, out.slice(0, 3).join());
}

test('a capture as text, cut, and one that ends with its connection', { variants: [['chromium', 'lite']] }, async (t) => {
  const { server, ask, handle, folder } = await start(t);
  const [a, b] = ['a.txt', 'b.pcap'].map((name) => path.join(folder, name));
  const captured = (n) => until(`${n} packets`, async () => (await ask('handle_info', handle)).info['captured-packets'] > n);

  assert.equal((await ask('start_text2pcap', handle, { filename: 'a.txt', truncate: 12 })).janus, 'success');
  await captured(20);
  assert.equal((await ask('stop_text2pcap', handle)).janus, 'success');
  await until('a whole file', () => !server.hasOpen(a));
  const lines = fs.readFileSync(a, 'utf8').trim().split('\n');
  assert.ok(lines.length > 10);
  for (const l of lines) assert.match(l, /^[IO] \d\d:\d\d:\d\d\.\d{6} 000000( [0-9a-f]{2}){8,12}$/);
  assert.ok(lines.some((l) => l[0] === 'I') && lines.some((l) => l[0] === 'O'));

  assert.equal((await ask('start_pcap', handle, { filename: 'b.pcap' })).janus, 'success');
  await captured(5);
  assert.equal((await ask('hangup_webrtc', handle)).janus, 'success');
  assert.match((await ask('stop_pcap', handle)).error.reason, /not started/);
  await until('a whole file', () => !server.hasOpen(b));
  assert.ok(readPcap(b).length > 5);
});
