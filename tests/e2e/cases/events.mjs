// Event handlers in a running server: a publisher's life as jsonlines writes it to a file and webhook
// posts it, and a receiver that is of no use.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import VideoRoomPlugin from 'janode/plugins/videoroom';
import { connect, next } from '../lib/janode.mjs';
import { transaction, WsClient } from '../lib/protocol.mjs';
import { test } from '../lib/runner.mjs';
import { sleep, until } from '../lib/until.mjs';

const tags = ['asan'];

// A web server; on(body, headers) says the status to answer with, or never answers.
async function receiver(t, on) {
  const server = http.createServer((req, res) => {
    let body = '';
    req.on('data', (d) => (body += d));
    req.on('end', async () => {
      res.statusCode = await on(body, req.headers);
      res.end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.onClose(() => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(resolve);
  }));
  return `http://127.0.0.1:${server.address().port}/events`;
}

const settings = (keys) => ['[general]', ...Object.entries(keys).map(([k, v]) => `${k} = ${v}`), ''].join('\n');

const name = (e) => [e.type, e.subtype, e.event.name ?? e.event.owner ?? e.event.ice ?? e.event.dtls ?? e.event.connection
  ?? e.event.status ?? e.event.data?.event].filter((x) => x !== undefined).join(' ');

test('events: a publisher from begin to end', { tags, variants: [['chromium', 'lite'], ['chromium', 'full']] }, async (t) => {
  const posted = [];
  const backend = await receiver(t, (body, headers) => {
    const [, at, mac] = /^t=(\d+),v1=(\w+)$/.exec(headers['x-sluice-signature']);
    assert.equal(mac, crypto.createHmac('sha256', 'key').update(`${at}.${body}`).digest('hex'));
    posted.push(...JSON.parse(body));
    return 200;
  });
  const file = path.join(t.dir, 'events.jsonl');
  const server = await t.server(
    { events: { enabled: 'yes', handlers: 'jsonlines, webhook' }, general: { server_name: 'here' }, admin: { enabled: 'yes', secret: 'adm' } },
    { 'jsonlines.conf': settings({ path: file }), 'webhook.conf': settings({ backend, secret: 'key' }) });
  const page = await t.client();
  const connection = await connect(t, server);
  const info = await connection.getInfo();
  assert.ok(info.event_handlers && 'janus.eventhandler.webhook' in info.events);
  const session = await connection.create();
  const room = await session.attach(VideoRoomPlugin);
  await room.joinPublisher({ room: 1234, display: 'ann' });
  const up = next(room, 'handle_webrtcup');
  const { jsep } = await room.publish({ jsep: await page.evaluate(() => T.bareOffer('p')) });
  await page.evaluate((j) => T.bareAccept('p', j), jsep);
  await up;
  const inFile = () => fs.readFileSync(file, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line));
  const arrives = ({ type, subtype, event: e }) =>
    type === 32 && subtype === 3 && e.media === 'video' && e['packets-received'] > 10 && e['bytes-received-lastsec'] > 1000;
  await until('a report about video', () => inFile().some(arrives));
  const admin = await WsClient.open(server.admin, 'janus-admin-protocol');
  await admin.request({ janus: 'custom_event', admin_secret: 'adm', transaction: transaction(), schema: 'a.b', data: { k: 1 } });
  await admin.close();
  await room.hangup();
  await session.destroy();
  await connection.close();
  await server.stop();

  const events = inFile();
  assert.deepEqual(posted, events, 'both handlers got the same');
  for (const e of events) {
    assert.equal(e.emitter, 'here');
    assert.ok(Number.isInteger(e.timestamp) && typeof e.event === 'object');
  }
  const seen = events.map(name);
  const inOrder = (...wanted) => wanted.reduce((at, want) => {
    const found = seen.indexOf(want, at);
    assert.ok(found >= 0, `${want} comes not behind ${seen[at - 1]}:\n${seen.join('\n')}`);
    return found + 1;
  }, 0);
  inOrder('256 1 started', '128 connected', '1 created', '2 attached', '64 joined', '8 remote', '16 1 gathering', '8 local',
    '16 1 connecting', '16 4', '16 1 connected', '16 5 connected', '16 6 webrtcup', '32 1', '32 3', '4', '16 6 hangup',
    '64 unpublished', '64 leaving', '2 detached', '1 destroyed');
  inOrder('16 1 connecting', '16 5 trying', '16 5 connected', '64 published');
  inOrder('16 1 connected', '16 1 ready', '16 6 hangup');
  inOrder('8 remote', '16 2', '8 local');
  inOrder('8 remote', '64 configured');
  inOrder('16 5 connected', '64 published', '256 1 update', '128 disconnected', '256 2 shutdown');
  const of = (...type) => events.filter((e) => e.type === type[0] && (type[1] === undefined || e.subtype === type[1]));
  assert.ok(of(16, 2).every((e) => / typ /.test(e.event['local-candidate'])) && of(16, 2).length > 0);
  const pair = of(16, 4)[0].event;
  assert.match(pair['selected-pair'], /^\S+:\d+ \[\w+,udp\] <-> \S+:\d+ \[\w+,udp\]$/);
  assert.equal(pair.candidates.remote.port, Number(/(\d+) \[\w+,udp\]$/.exec(pair['selected-pair'])[1]));
  assert.ok(pair.candidates.local.port > 0, JSON.stringify(pair));
  assert.equal(events.find(arrives).event['in-link-quality'], 100);
  assert.equal(of(256, 1).at(-1).event.info['stats-period'], 1);
});

test('events: a receiver that is of no use delays nobody', { tags, alone: true }, async (t) => {
  const backend = await receiver(t, () => new Promise(() => {}));
  const server = await t.server(
    { events: { enabled: 'yes', handlers: 'webhook', max_queue: 65536 }, admin: { enabled: 'yes', secret: 'adm' } },
    { 'webhook.conf': settings({ backend, timeout: 500, max_retransmissions: 0 }) });
  const c = await WsClient.open(server.ws);
  const times = [];
  for (let i = 0; i < 300; i++) {
    const begin = performance.now();
    const session_id = await c.create();
    await c.request({ janus: 'destroy', session_id });
    times.push(performance.now() - begin);
  }
  const most = times.sort((a, b) => a - b)[Math.floor(times.length * 0.9)];
  assert.ok(most < 400, `${most} ms for a session`); // less than the receiver takes for any
  const admin = await WsClient.open(server.admin, 'janus-admin-protocol');
  const ask = async () => (await admin.request({ janus: 'query_eventhandler', admin_secret: 'adm',
    handler: 'janus.eventhandler.webhook', request: { request: 'stats' } })).response;
  const stats = await until('a loss', async () => {
    const s = await ask();
    return s.lost && s;
  });
  assert.equal(stats.delivered, 0);
  assert.equal(stats.emitted, stats.lost + stats.waiting + stats.delivered);
  assert.ok(stats.emitted >= 600);
  await admin.close();
  await c.close();
  const begin = performance.now();
  await server.stop();
  assert.ok(performance.now() - begin < 10000);
});

// A web server that may be slow, answer errors, be gone, and come back.
class Receiver {
  status = 200;
  delay = 0;
  busy = 0; // requests under way
  taken = []; // events of requests that were answered with 200

  async start(t) {
    this.server = http.createServer((req, res) => {
      let body = '';
      this.busy++;
      res.on('close', () => this.busy--);
      req.on('data', (d) => (body += d));
      req.on('end', async () => {
        if (this.delay) await sleep(this.delay);
        if (this.status === 200) this.taken.push(...JSON.parse(body));
        res.writeHead(this.status).end();
      });
    });
    await new Promise((resolve) => this.server.listen(this.port ?? 0, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    t.onClose(() => this.stop());
    return `http://127.0.0.1:${this.port}/events`;
  }

  // Between two requests, so that both ends agree on what was taken.
  async stop() {
    while (this.busy) await sleep(5);
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}

// Sessions that come and go for @ms, two events each, and pings beside them: how many, and what nine
// of ten pings take at most. @rest(): between each hundred.
async function work(c, ms, rest) {
  const pings = [];
  let sessions = 0;
  for (const begin = performance.now(); performance.now() - begin < ms; sessions++) {
    if (rest && sessions % 100 === 99) await rest();
    const session_id = await c.create();
    const at = performance.now();
    await c.request({ janus: 'ping' });
    pings.push(performance.now() - at);
    await c.request({ janus: 'destroy', session_id });
  }
  pings.sort((a, b) => a - b);
  return { sessions, p90: pings[Math.floor(pings.length * 0.9)] };
}

async function handlerStats(admin) {
  const answer = await admin.request({ janus: 'query_eventhandler', admin_secret: 'adm',
    handler: 'janus.eventhandler.webhook', request: { request: 'stats' } });
  return answer.response;
}

async function emptied(admin) {
  return until('no event waits', async () => {
    const stats = await handlerStats(admin);
    return !stats.waiting && stats;
  });
}

async function webhookServer(t, r, keys) {
  const backend = await r.start(t);
  const server = await t.server(
    { general: { session_timeout: 0 }, events: { enabled: 'yes', handlers: 'webhook', max_queue: 65536 },
      admin: { enabled: 'yes', secret: 'adm' } },
    { 'webhook.conf': settings({ backend, events: 'sessions', ...keys }) });
  return [await WsClient.open(server.ws), await WsClient.open(server.admin, 'janus-admin-protocol')];
}

test('events: a receiver that is slow, wrong or gone delays nothing, and each loss is counted', { tags }, async (t) => {
  const r = new Receiver();
  const [c, admin] = await webhookServer(t, r, { timeout: 10000, max_retransmissions: 2, retransmissions_backoff: 20 });
  const phases = [
    ['well', async () => {}],
    ['slow', async () => (r.delay = 500)],
    ['wrong', async () => ((r.delay = 0), (r.status = 503))],
    ['gone', async () => r.stop()],
  ];
  let made = 0;
  for (const [what, begin] of phases) {
    const before = await handlerStats(admin);
    await begin();
    // As fast as it takes them: all of us are one program here, and the queue holds 300 events.
    const { sessions, p90 } = await work(c, 1000, what === 'well' ? () => emptied(admin) : undefined);
    made += 2 * sessions;
    t.note(`${what}: ${sessions} sessions, ping p90 ${p90.toFixed(1)} ms`);
    assert.ok(p90 < 250, `${what}: ping p90 ${p90} ms`); // half of what a slow receiver takes
    const lost = async () => (await handlerStats(admin)).lost - before.lost;
    if (what === 'well') assert.equal(await lost(), 0);
    if (what === 'wrong' || what === 'gone') await until('a loss', lost);
  }
  r.status = 200;
  await r.start(t);
  made += 2 * (await work(c, 300)).sessions;
  const stats = await emptied(admin);
  t.note(JSON.stringify(stats));
  assert.equal(stats.emitted, made);
  assert.equal(stats.delivered, r.taken.length);
  assert.equal(stats.delivered + stats.lost, made);
  assert.equal(new Set(r.taken.map((e) => `${e.session_id} ${e.event.name}`)).size, r.taken.length);
});

for (const [seconds, retries, more] of [[1, 5, []], [60, 20, ['long']]])
  test(`events: nothing is lost when the receiver is gone for ${seconds} s`, { tags: [...tags, ...more] },
    async (t) => {
      const r = new Receiver();
      const [c, admin] = await webhookServer(t, r, { max_retransmissions: retries });
      const early = await c.create();
      await emptied(admin);
      await r.stop();
      const late = await c.create();
      await sleep(seconds * 1000);
      await r.start(t);
      const stats = await emptied(admin);
      assert.deepEqual([stats.emitted, stats.delivered, stats.lost], [2, 2, 0]);
      assert.deepEqual(r.taken.map((e) => e.session_id), [early, late]);
    });

test('events: a start without a handler says why', { tags }, async (t) => {
  await assert.rejects(t.server({ events: { enabled: 'yes', handlers: 'none' } }), /cannot load event handler: .*none\.so/);
  await assert.rejects(t.server({ events: { enabled: 'yes', handlers: 'webhook' } }, { 'webhook.conf': '' }),
    /backend expects a URL[^]*event handler .*webhook\.so refuses to start/);
});
