// ./quickstart run, as the README says it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { WebSocket } from 'ws';
import { test } from '../lib/runner.mjs';
import { httpRequest } from '../lib/protocol.mjs';
import { topDir } from '../lib/paths.mjs';
import { freePorts } from '../lib/ports.mjs';

// It takes a port, the next one and the 100th behind it; media has some that are none of a running server's.
const PORT = await freePorts(101 + os.cpus().length);
const MEDIA = ['--', '-o', `media.port=${PORT + 101}`];

// Runs it until it has told its address; { text, stop }.
async function quickstart(t, args) {
  const child = spawn(path.join(topDir, 'quickstart'), ['run', '--port', String(PORT), ...args, ...MEDIA],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  t.onClose(() => child.exitCode === null && child.kill('SIGKILL'));
  const out = { text: '' };
  const exited = new Promise((resolve) => child.on('close', (code) => resolve(code)));
  await new Promise((resolve, reject) => {
    const take = (d) => {
      out.text += d;
      if (out.text.includes('Ctrl-C')) resolve();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    exited.then((code) => reject(new Error(`ended with ${code}:\n${out.text}`)));
  });
  out.stop = () => {
    child.kill('SIGINT');
    return exited;
  };
  return out;
}

function httpsGet(host, ca) {
  return new Promise((resolve, reject) => {
    https.get({ host, port: PORT + 1, path: '/janus/info', ca, agent: false }, (res) => {
      let text = '';
      res.on('data', (d) => (text += d));
      res.on('end', () => resolve(JSON.parse(text)));
    }).on('error', reject);
  });
}

const ownAddress = () => Object.values(os.networkInterfaces()).flat().find((a) => a.family === 'IPv4' && !a.internal)?.address;

test('quickstart run: pages on localhost, and nowhere else', { timeout: 300, alone: true }, async (t) => {
  const q = await quickstart(t, []);
  assert.match(q.text, new RegExp(`http://localhost:${PORT}/`));
  const page = await httpRequest(`http://127.0.0.1:${PORT}/`);
  assert.equal(page.status, 200);
  assert.match(page.text, /<title>Sluice<\/title>/);
  assert.equal((await httpRequest(`http://127.0.0.1:${PORT}/janus/info`)).json.janus, 'server_info');
  const own = ownAddress();
  if (own) await assert.rejects(httpRequest(`http://${own}:${PORT}/`), /ECONNREFUSED/);
  assert.equal(await q.stop(), 0, 'Ctrl-C ends it cleanly');
});

test('quickstart run --https: TLS for pages and WebSocket', { timeout: 300, alone: true }, async (t) => {
  const q = await quickstart(t, ['--https']);
  const ca = fs.readFileSync(path.join(topDir, 'build/run/tls/cert.pem'));
  assert.equal((await httpsGet('localhost', ca)).janus, 'server_info');
  const own = ownAddress();
  if (own) {
    assert.equal((await httpsGet(own, ca)).janus, 'server_info', 'the certificate names the address');
    assert.ok(q.text.includes(`https://${own}:${PORT + 1}/`), 'tells how to get there');
  }
  const pong = await new Promise((resolve, reject) => {
    const ws = new WebSocket(`wss://localhost:${PORT + 1}/janus`, 'janus-protocol', { ca });
    ws.on('error', reject);
    ws.on('open', () => ws.send('{"janus":"ping","transaction":"p"}'));
    ws.on('message', (d) => {
      resolve(JSON.parse(d));
      ws.close();
    });
  });
  assert.deepEqual(pong, { janus: 'pong', transaction: 'p' });
  assert.equal(await q.stop(), 0);
});
