// Clients that send what no client should: every request gets an answer or an error of the
// protocol, and the server stays as it was. The seed is fixed, so that a failure comes again.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from '../lib/runner.mjs';
import { HttpClient, transaction, WsClient } from '../lib/protocol.mjs';
import { topDir } from '../lib/paths.mjs';

const ECHO = 'janus.plugin.echotest';
const ROOM = 'janus.plugin.videoroom';
const MUTANTS = 120; // of each offer
const GROWTH_KIB = 8192; // that the second half of a test may add
const tags = ['asan'];

const golden = path.join(topDir, 'tests/unit/sdp/golden');
const offers = ['chromium', 'firefox'].map((name) =>
  fs.readFileSync(path.join(golden, `${name}_offer.sdp`), 'latin1').split(/\r?\n/).filter(Boolean));

// mulberry32
function makeRandom(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  return { below: (n) => next() % n, pick: (list) => list[next() % list.length] };
}

const mutations = [
  (l, r) => l.splice(r.below(l.length), 1 + r.below(5)),
  (l, r) => l.splice(r.below(l.length), 0, r.pick(l)),
  (l, r) => {
    const [i, k] = [r.below(l.length), r.below(l.length)];
    [l[i], l[k]] = [l[k], l[i]];
  },
  (l, r) => {
    const i = r.below(l.length);
    const at = r.below(l[i].length + 1);
    l[i] = l[i].slice(0, at) + String.fromCharCode(1 + r.below(255)) + l[i].slice(at + 1);
  },
  (l, r) => {
    const i = r.below(l.length);
    l[i] = l[i].replace(/\d+/, r.pick(['0', '-1', '65536', '4294967296', '99999999999999999999', '', 'x']));
  },
  (l, r) => l.push(...l.slice(r.below(l.length))),
  (l, r) => (l[r.below(l.length)] += 'a'.repeat(r.below(5000))),
  (l, r) => (l.length = 1 + r.below(l.length)),
];

function mutant(lines, r) {
  const l = [...lines];
  for (let n = 1 + r.below(4); n > 0 && l.length > 1; n--) r.pick(mutations)(l, r);
  return l.join(r.below(8) ? '\r\n' : '\n') + '\r\n';
}

function isProtocolError(m) {
  return m.janus === 'error' && Number.isInteger(m.error.code) && typeof m.error.reason === 'string';
}

// Sanitizers keep what was freed.
function assertNoGrowth(server, before) {
  const after = server.usage();
  const maps = fs.readFileSync(`/proc/${server.pid}/maps`, 'utf8');
  assert.equal(after.threads, before.threads);
  if (/lib[at]san/.test(maps)) return;
  assert.ok(after.rssKib < before.rssKib + GROWTH_KIB, `${before.rssKib} -> ${after.rssKib} KiB`);
}

async function isWell(server) {
  const c = await WsClient.open(server.ws);
  const session_id = await c.create();
  const handle_id = await c.attach(session_id, ECHO);
  const sdp = offers[0].join('\r\n') + '\r\n';
  const event = await c.message(session_id, handle_id, { audio: true, video: true }, { type: 'offer', sdp });
  assert.equal(event.jsep?.type, 'answer', 'a good offer is answered');
  await c.close();
}

// Negotiates @sdp on a handle of its own: 'answer' or 'error'.
async function negotiate(c, session_id, plugin, body, sdp) {
  const handle_id = await c.attach(session_id, plugin);
  const t = transaction();
  const direct = await c.request({ janus: 'message', session_id, handle_id, body, transaction: t, jsep: { type: 'offer', sdp } });
  let outcome = 'error';
  if (direct.janus === 'ack') {
    const event = await c.next((m) => m.transaction === t);
    outcome = event.jsep ? 'answer' : 'error';
    if (event.jsep) assert.match(event.jsep.sdp, /^v=0\r\n/);
    else if (event.janus === 'event') assert.ok(Number.isInteger(event.plugindata.data.error_code), JSON.stringify(event));
    else assert.ok(isProtocolError(event), JSON.stringify(event));
  } else {
    assert.ok(isProtocolError(direct), JSON.stringify(direct));
  }
  await c.request({ janus: 'detach', session_id, handle_id });
  c.received.length = 0;
  return outcome;
}

test('hostile: mutated offers are answered or refused', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  const session_id = await c.create();
  const r = makeRandom(20261121);
  const count = { answer: 0, error: 0 };
  let before;
  for (let i = 0; i < MUTANTS; i++) {
    if (i === MUTANTS / 2) before = server.usage();
    for (const offer of offers)
      count[await negotiate(c, session_id, ECHO, { audio: true, video: true }, mutant(offer, r))]++;
  }
  t.note(`${count.answer} answers, ${count.error} errors`);
  assert.ok(count.answer > 0 && count.error > 0, 'some of each');
  assertNoGrowth(server, before);
  await isWell(server);
  await c.close();
});

test('hostile: an offer that changes under way', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  const session_id = await c.create();
  const r = makeRandom(7);
  const sdp = offers[0].join('\r\n') + '\r\n';
  const offer = { type: 'offer', sdp };
  for (let i = 0; i < 60; i++) {
    const handle_id = await c.attach(session_id, ECHO);
    assert.equal((await c.message(session_id, handle_id, { audio: true }, offer)).jsep?.type, 'answer');
    for (let k = 0; k < 2; k++) {
      const tr = transaction();
      const jsep = { type: 'offer', sdp: mutant(offers[0], r) };
      const direct = await c.request({ janus: 'message', session_id, handle_id, body: { audio: true }, jsep, transaction: tr });
      if (direct.janus === 'ack') await c.next((m) => m.transaction === tr);
      else assert.ok(isProtocolError(direct), JSON.stringify(direct));
    }
    assert.equal((await c.request({ janus: 'detach', session_id, handle_id })).janus, 'success');
    c.received.length = 0;
  }
  await isWell(server);
  await c.close();
});

const oddCandidates = [
  null, 5, 'x', [], {}, { candidate: null }, { candidate: 5 }, { candidate: '' }, { candidate: 'x' },
  { candidate: 'candidate:', sdpMid: '0' }, { completed: true }, { completed: 'yes' }, { completed: false },
  { candidate: 'candidate:1 1 udp 2122 127.0.0.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0 },
  { candidate: 'candidate:1 1 udp 2122 127.0.0.1 9 typ host', sdpMLineIndex: -1 },
  { candidate: 'candidate:1 1 udp 2122 127.0.0.1 9 typ host', sdpMLineIndex: 1e308 },
  { candidate: 'candidate:1 1 udp 2122 127.0.0.1 9 typ host', sdpMid: 'no such mid', sdpMLineIndex: 99999 },
  { candidate: 'candidate:1 1 udp 99999999999999999999 999.1.1.1 -1 typ', sdpMid: '0' },
  { candidate: 'candidate:1 1 udp 1 fe80::1%eth0 9 typ host', sdpMid: '0' },
  { candidate: 'candidate:1 1 tcp 1 ::1 9 typ host tcptype active', sdpMid: '0' },
  { candidate: 'candidate:1 1 udp 1 x.local 9 typ host', sdpMid: '0' },
  { candidate: `candidate:${'1'.repeat(10000)} 1 udp 1 127.0.0.1 9 typ host`, sdpMid: '0' },
  { candidate: 'candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=evil', sdpMid: '0' },
  { candidate: 'candidate:1 1 udp 1 127.0.0.1 9 typ srflx raddr rport', sdpMid: 'm'.repeat(10000) },
];

for (const ice of ['lite', 'full']) {
  test(`hostile: candidates of all shapes, ice=${ice}`, { tags }, async (t) => {
    const server = await t.server({ media: { ice } });
    const c = await WsClient.open(server.ws);
    const session_id = await c.create();
    for (const withOffer of [false, true]) {
      const handle_id = await c.attach(session_id, ECHO);
      if (withOffer) {
        const jsep = { type: 'offer', sdp: offers[0].join('\r\n') + '\r\n' };
        await c.message(session_id, handle_id, { audio: true }, jsep);
      }
      for (const candidate of oddCandidates) {
        for (const member of [{ candidate }, { candidates: candidate }, { candidates: [candidate] }]) {
          const reply = await c.request({ janus: 'trickle', session_id, handle_id, ...member });
          assert.ok(reply.janus === 'ack' || isProtocolError(reply), JSON.stringify([member, reply]));
        }
      }
      assert.equal((await c.request({ janus: 'detach', session_id, handle_id })).janus, 'success');
    }
    await isWell(server);
    await c.close();
  });
}

test('hostile: ten thousand candidates', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  const session_id = await c.create();
  const handle_id = await c.attach(session_id, ECHO);
  const one = (i) => ({ candidate: `candidate:${i} 1 udp 1 127.0.0.1 ${1 + (i % 65535)} typ host`, sdpMid: '0' });
  let before;
  for (let half = 0; half < 2; half++) {
    const replies = [];
    for (let i = 0; i < 5000; i++) {
      replies.push(c.request({ janus: 'trickle', session_id, handle_id, candidate: one(i) }));
      if (replies.length === 250) {
        for (const m of await Promise.all(replies.splice(0)))
          assert.ok(m.janus === 'ack' || isProtocolError(m), JSON.stringify(m));
      }
    }
    before ??= server.usage();
  }
  const long = await c.attach(session_id, ECHO);
  const candidate = { candidate: `candidate:${'1'.repeat(900000)}`, sdpMid: '0' };
  for (let i = 0; i < 60; i++)
    await c.request({ janus: 'trickle', session_id, handle_id: long, candidate });
  assertNoGrowth(server, before);
  await c.request({
    janus: 'trickle', session_id, handle_id, candidates: Array.from({ length: 10000 }, (_, i) => one(i)),
  });
  await isWell(server);
  await c.close();
});

test('hostile: large bodies and deep ones', { tags }, async (t) => {
  const server = await t.server();
  const http = new HttpClient(server.http);
  const large = JSON.stringify({ janus: 'create', transaction: 't', x: 'x'.repeat(1 << 20) });
  const deep = `{"janus":"create","transaction":"t","x":${'['.repeat(100000)}${']'.repeat(100000)}}`;
  assert.equal((await http.post('', large)).status, 413);
  assert.equal((await http.post('', deep)).json.error.code, 454);
  for (let i = 0; i < 20; i++) {
    const big = await WsClient.open(server.ws);
    big.sendRaw(large);
    assert.equal((await big.closed).code, 1009, 'message too big');
  }
  const c = await WsClient.open(server.ws);
  c.sendRaw(deep);
  assert.equal((await c.next()).error.code, 454);
  const session_id = await c.create({ x: 'x'.repeat((1 << 20) - 200) });
  assert.equal((await c.request({ janus: 'keepalive', session_id })).janus, 'ack', 'just below the limit');
  await isWell(server);
  await c.close();
});

test('hostile: who guesses session ids is slowed', { tags }, async (t) => {
  const server = await t.server();
  const owner = await WsClient.open(server.ws);
  const session_id = await owner.create();
  await owner.close();
  const c = await WsClient.open(server.ws);
  for (let i = 1; i <= 200; i++)
    assert.equal((await c.request({ janus: 'claim', session_id: i })).error.code, 458);
  assert.equal((await c.request({ janus: 'claim', session_id })).error.code, 458, 'not even the right one');
  const fair = await WsClient.open(server.ws);
  assert.equal((await fair.request({ janus: 'claim', session_id })).janus, 'success', 'others are not held up');
  await c.close();
  await fair.close();
});

const oddValues = [null, true, -1, 0, 1, 1.5, 1e308, 2 ** 53, '', 'x', '1234', 'x'.repeat(70000), [], {}, [[]], [{}],
  [null], { a: 1 }, '\ud83d\ude00'];
const requests = ['create', 'edit', 'destroy', 'exists', 'list', 'allowed', 'kick', 'listparticipants', 'join',
  'joinandconfigure', 'configure', 'publish', 'unpublish', 'start', 'pause', 'subscribe', 'unsubscribe', 'update',
  'switch', 'leave', 'moderate', 'rtp_forward', 'stop_rtp_forward', 'listforwarders', 'enable_recording'];
const keys = ['room', 'id', 'ptype', 'feed', 'streams', 'secret', 'pin', 'display', 'private_id', 'publishers',
  'bitrate', 'allowed', 'action', 'description', 'audiocodec', 'videocodec', 'mid', 'feeds', 'substream', 'descriptions'];

test('hostile: room requests with members of any type', { tags }, async (t) => {
  const server = await t.server();
  const c = await WsClient.open(server.ws);
  const session_id = await c.create();
  const r = makeRandom(1234);
  let handle_id;
  for (let i = 0; i < 600; i++) {
    if (i % 50 === 0) {
      if (handle_id) await c.request({ janus: 'detach', session_id, handle_id });
      handle_id = await c.attach(session_id, ROOM);
      c.received.length = 0;
    }
    const body = { request: r.pick(requests), room: r.below(3) ? 1234 : r.pick(oddValues) };
    if (r.below(2)) body.ptype = r.pick(['publisher', 'subscriber']);
    for (let k = r.below(5); k > 0; k--) body[r.pick(keys)] = r.pick(oddValues);
    const tr = transaction();
    const direct = await c.request({ janus: 'message', session_id, handle_id, body, transaction: tr });
    assert.ok(['ack', 'success'].includes(direct.janus) || isProtocolError(direct), JSON.stringify([body, direct]));
    if (direct.janus === 'ack') await c.next((m) => m.transaction === tr);
  }
  await isWell(server);
  await c.close();
});
