// The session protocol over HTTP: REST and long poll.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';
import { HttpClient, httpRequest } from '../lib/protocol.mjs';

const ECHO = 'janus.plugin.echotest';
const tags = ['asan'];

test('a session over HTTP', { tags }, async (t) => {
  const server = await t.server();
  const c = new HttpClient(server.http);
  const s = await c.create();
  const attached = await c.post(`/${s}`, { janus: 'attach', plugin: ECHO });
  assert.equal(attached.status, 200);
  assert.match(attached.headers['content-type'], /^application\/json/);
  assert.equal(attached.json.session_id, s);
  const h = attached.json.data.id;

  const poll = c.get(`/${s}?maxev=10&rid=1`);
  const ack = await c.post(`/${s}/${h}`, { janus: 'message', body: { audio: true }, transaction: 'm' });
  assert.equal(ack.json.janus, 'ack');
  const events = await poll;
  assert.equal(events.status, 200);
  assert.ok(Array.isArray(events.json), 'an array, since maxev is 10');
  assert.deepEqual(events.json[0].plugindata.data, { echotest: 'event', result: 'ok' });
  assert.equal(events.json[0].transaction, 'm');

  await c.post(`/${s}/${h}`, { janus: 'message', body: { video: false }, transaction: 'n' });
  const one = await c.get(`/${s}`);
  assert.equal(one.json.transaction, 'n', 'an object, without maxev');

  assert.equal((await c.post(`/${s}/${h}`, { janus: 'detach' })).json.janus, 'success');
  const poll2 = c.get(`/${s}?maxev=5`);
  assert.equal((await poll2).json[0].janus, 'detached');
  const poll3 = c.get(`/${s}?maxev=5`);
  const t0 = Date.now();
  assert.equal((await c.post(`/${s}`, { janus: 'destroy' })).json.janus, 'success');
  await poll3;
  assert.ok(Date.now() - t0 < 5000, 'a poll ends with its session');
  assert.equal((await c.get(`/${s}`)).status, 404);
});

test('an idle long poll ends with a keepalive after 30 s', { tags: ['long'] }, async (t) => {
  const server = await t.server();
  const c = new HttpClient(server.http);
  const s = await c.create();
  const t0 = Date.now();
  const [array, object] = await Promise.all([c.get(`/${s}?maxev=10`), c.get(`/${s}`)]);
  assert.deepEqual(array.json, [{ janus: 'keepalive' }]);
  assert.deepEqual(object.json, { janus: 'keepalive' });
  assert.ok(Math.abs(Date.now() - t0 - 30000) < 2000);
});

test('info, ping and unknown addresses over HTTP', { tags }, async (t) => {
  const server = await t.server();
  const c = new HttpClient(server.http);
  assert.equal((await c.get('/info')).json.janus, 'server_info');
  assert.equal((await c.get('/ping')).json.janus, 'pong');
  assert.equal((await c.get('')).status, 404);
  assert.equal((await c.get('/12345')).status, 404);
  assert.equal((await c.get('/1/2/3')).status, 404);
});

test('errors over HTTP come with status 200', { tags }, async (t) => {
  const server = await t.server();
  const c = new HttpClient(server.http);
  const s = await c.create();
  for (const [path, message, code] of [
    ['', '{', 454],
    ['', '[]', 455],
    ['', { janus: 'keepalive' }, 457],
    ['/1', { janus: 'keepalive' }, 458],
    [`/${s}`, { janus: 'keepalive', session_id: s + 1 }, 457],
    [`/${s}/1`, { janus: 'detach' }, 459],
    [`/${s}`, { janus: 'attach', plugin: 'none' }, 460],
  ]) {
    const reply = await c.post(path, message);
    assert.equal(reply.status, 200, `${path} ${JSON.stringify(message)}`);
    assert.equal(reply.json?.error?.code, code, `${path} ${JSON.stringify(message)} -> ${reply.text}`);
  }
});

test('CORS: preflight, and a beacon with text/plain', { tags }, async (t) => {
  const server = await t.server();
  const c = new HttpClient(server.http);
  const preflight = await httpRequest(server.http, {
    method: 'OPTIONS',
    headers: {
      origin: 'http://example.com',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-own',
    },
  });
  assert.equal(preflight.status, 200);
  assert.equal(preflight.headers['access-control-allow-origin'], '*');
  assert.equal(preflight.headers['access-control-allow-methods'], 'POST');
  assert.equal(preflight.headers['access-control-allow-headers'], 'content-type,x-own');
  assert.ok(Number(preflight.headers['access-control-max-age']) > 0);

  const s = await c.create();
  const beacon = await httpRequest(`${server.http}/${s}`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain;charset=UTF-8' },
    body: JSON.stringify({ janus: 'destroy', transaction: 'b' }),
  });
  assert.equal(beacon.json.janus, 'success');
  assert.equal((await c.get(`/${s}`)).status, 404);
});

test('limits: a huge body is refused, a half request does no harm', { tags }, async (t) => {
  const server = await t.server();
  const c = new HttpClient(server.http);
  const big = JSON.stringify({ janus: 'create', transaction: 'x'.repeat(8 * 1024 * 1024) });
  const outcome = await c.post('', big).then((r) => r.status, (e) => e.code ?? e.message);
  assert.ok(outcome === 413 || ['ECONNRESET', 'EPIPE', 'socket hang up'].includes(outcome), `was ${outcome}`);
  assert.ok(await c.create());
});
