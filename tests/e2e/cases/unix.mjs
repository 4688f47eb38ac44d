// The session protocol over Unix sockets: datagrams with the unmodified janode, connections with
// Python, since Node has none of these.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import Janode from 'janode';
import EchoTestPlugin from 'janode/plugins/echotest';
import VideoRoomPlugin from 'janode/plugins/videoroom';
import { next } from '../lib/janode.mjs';
import { test } from '../lib/runner.mjs';
import { until } from '../lib/until.mjs';

const { EVENT } = Janode;

// A server with sockets in a folder of its own: their paths are short.
async function serve(t, conf) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-unix-'));
  t.onClose(() => fs.rmSync(dir, { recursive: true }));
  const at = { path: path.join(dir, 's'), admin_path: path.join(dir, 'a') };
  const server = await t.server({ unix: { enabled: 'yes', ...at, ...conf }, admin: { secret: 'adm' },
    general: { reclaim_session_timeout: 1 } });
  return { server, ...at };
}

async function connect(t, file, more) {
  const connection = await Janode.connect({ address: { url: `file://${file}`, ...more?.address }, ...more?.options });
  t.onClose(() => connection.close().catch(() => {}));
  return connection;
}

test('unix: janode over datagrams', { tags: ['asan'], variants: [['chromium', 'lite']] }, async (t) => {
  const { server, path: file, admin_path } = await serve(t, { type: 'dgram' });
  const connection = await connect(t, file);
  const info = await connection.getInfo();
  assert.ok('janus.transport.pfunix' in info.transports);

  const session = await connection.create();
  const room = await session.attach(VideoRoomPlugin);
  assert.ok((await room.list()).list.some((r) => r.room === 1234));
  const echo = await session.attach(EchoTestPlugin);
  const page = await t.client();
  const up = next(echo, EVENT.HANDLE_WEBRTCUP);
  const jsep = await page.evaluate((name) => T.bareOffer(name), 'e');
  const reply = await echo.start({ audio: true, video: true, jsep });
  await page.evaluate(([n, j]) => T.bareAccept(n, j), ['e', reply.jsep]);
  await up;

  const admin = await connect(t, admin_path, { address: { apisecret: 'adm' }, options: { is_admin: true } });
  assert.deepEqual((await admin.listSessions()).sessions, [session.id]);

  const gone = next(echo, EVENT.HANDLE_DETACHED);
  await session.destroy();
  await gone;
  await server.stop();
  assert.ok(!fs.existsSync(file) && !fs.existsSync(admin_path), 'the files are removed');
});

test('unix: a session of datagrams ends with its client', {}, async (t) => {
  const { path: file, admin_path } = await serve(t, { type: 'dgram' });
  const connection = await connect(t, file);
  await connection.create();
  const admin = await connect(t, admin_path, { address: { apisecret: 'adm' }, options: { is_admin: true } });
  assert.equal((await admin.listSessions()).sessions.length, 1);
  await connection.close();
  await until('no session', async () => !(await admin.listSessions()).sessions.length); // 5 s, and 1 s to be claimed
});

const PYTHON = `
import json, socket, sys
def ask(s, **request):
    s.send(json.dumps(dict(request, transaction='t')).encode())
    return json.loads(s.recv(1 << 20))
s, a = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for i in range(2)]
s.connect(sys.argv[1])
a.connect(sys.argv[2])
out = [ask(s, janus='ping')]
session = ask(s, janus='create')['data']['id']
handle = ask(s, janus='attach', session_id=session, plugin='janus.plugin.echotest')['data']['id']
out.append(ask(s, janus='message', session_id=session, handle_id=handle, body={'audio': 5}))
out.append(json.loads(s.recv(1 << 20))['plugindata'])
out.append(ask(a, janus='list_sessions', admin_secret='adm')['sessions'] == [session])
out.append(ask(a, janus='list_sessions', admin_secret='no')['error']['code'])
print(json.dumps(out))
`;

test('unix: a session over a connection', { tags: ['asan'] }, async (t) => {
  const { path: file, admin_path } = await serve(t, {});
  const { stdout } = await promisify(execFile)('python3', ['-c', PYTHON, file, admin_path], { timeout: 60000 });
  const [pong, ack, event, listed, refused] = JSON.parse(stdout);
  assert.deepEqual(pong, { janus: 'pong', transaction: 't' });
  assert.equal(ack.janus, 'ack');
  assert.equal(event.plugin, 'janus.plugin.echotest');
  assert.ok(event.data.error_code, JSON.stringify(event));
  assert.deepEqual([listed, refused], [true, 403]);
});
