// Plays a conversation with a server and writes down what comes back.
//
// A conversation is a file of JSON lines, each a step:
//   {"name", "ws": SOCKET, "send": {...}}        a request over WebSocket; "raw": text as it is
//   {"name", "ws": SOCKET, "msg": "$S/$H", "body": {...}, "jsep": {...}}  a message to a plugin
//   {"name", "http": "POST /$S", "body": {...}}  over HTTP below the base path; "raw", "headers"
//     with "later": NAME it is not waited for until {"name", "await": NAME}
//   {"name", "admin": "POST /$S", "body": {...}} to the administrator, below its base path; its answer
//     is "http", too
//   {"name", "close": SOCKET}                    the socket is closed
//   {"name", "data": "$H", "body": {...}}        over the data channel of that handle; "raw"; with
//     "silent": true there is no answer to wait for
//   {"name", "end": "$H"}                        the peer connection of that handle is closed
// Requests have the transaction "t" unless they bring one. With "jsep": "offer" or "answer" the
// handle of "msg" has a peer connection of its own (peers.mjs), which gets every "jsep" of the
// handle's messages; with "media": true it has audio and video. "shape": true: of an answer's body
// the members and their types are written down. "slow": true: more than an answer comes, in its own time; "less": true: some
// of it, as differences.jsonl explains, does not come from Sluice.
// "keep": {"S": "data.id"} remembers a value of the first message that has it: "$S" in later steps,
// and in all that is written down ("maybe": true, when it need not be there). "pick": [...] writes down these members only.
// What is written down of a step: { SOCKET: [messages], "$H": [messages of that data channel],
// "http": {status, headers, body} }.

import fs from 'node:fs';
import http from 'node:http';
import { Peers } from './peers.mjs';
import { openWebSocket } from './ws.mjs';

const ANSWER_MS = 20000;
const MORE_MS = 10000; // what is expected behind the first message
const LESS_MS = 500; // when some of that does not come
const SLOW = 10; // times as long for a slow step
// No two are the same; but what they look like is.
const CHANCE = { sdp: /^v=0/, candidate: /./, date: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/ };
const TIMES = ['session_last_activity', 'created', 'current_time', 'elapsed'];
const HEADERS = ['content-type', 'location', 'access-control-allow-origin', 'access-control-allow-methods',
  'access-control-allow-headers', 'access-control-max-age'];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function readLines(file) {
  return fs.readFileSync(file, 'utf8').split('\n').filter((l) => l && !l.startsWith('//')).map((l, i) => {
    try {
      return JSON.parse(l);
    } catch (e) {
      throw new Error(`${file}, entry ${i + 1}: ${e.message}`);
    }
  });
}

function at(value, path) {
  return path.split('.').reduce((v, k) => v?.[k], value);
}

// Puts remembered values into a step.
function fill(value, kept) {
  if (typeof value === 'string') {
    if (/^\$\w+$/.test(value) && kept.has(value)) return kept.get(value);
    return value.replace(/\$\w+/g, (w) => (kept.has(w) ? String(kept.get(w)) : w));
  }
  if (Array.isArray(value)) return value.map((v) => fill(v, kept));
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fill(v, kept)]));
  return value;
}

// Members and types of a value; a list is as its first element.
function shape(value) {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (value === null || typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, shape(v)]));
}

// Puts names in the place of remembered values.
function hide(value, kept) {
  if (typeof value === 'number' || typeof value === 'string') {
    for (const [name, v] of kept) {
      if (value === v) return name;
      if (typeof value === 'string' && String(v).length > 5) value = value.replaceAll(String(v), name);
    }
    return value;
  }
  if (Array.isArray(value)) return value.map((v) => hide(v, kept));
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([k, v]) =>
      [k, (typeof v === 'string' && CHANCE[k]?.test(v)) || (typeof v === 'number' && TIMES.includes(k))
        ? `$${k}` : hide(v, kept)]));
  return value;
}

function request(base, step) {
  const [method, path] = step.http.split(' ');
  const body = step.raw ?? (step.body === undefined ? undefined : JSON.stringify({ transaction: 't', ...step.body }));

  return new Promise((resolve) => {
    const req = http.request(base + path, {
      method,
      agent: false,
      headers: { ...step.headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
    }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (d) => (text += d));
      res.on('end', () => {
        const headers = {};
        for (const h of HEADERS) if (res.headers[h] !== undefined) headers[h] = res.headers[h];
        let out = text;
        try {
          out = JSON.parse(text);
        } catch { /* written down as text */ }
        resolve({ status: res.statusCode, headers, body: out });
      });
    });
    req.on('error', () => resolve({ status: 0 })); // closed without an answer
    req.end(body);
  });
}

// What a data channel brought: objects as such, the rest as text.
function fromChannel(text) {
  try {
    return text.startsWith('{') ? JSON.parse(text) : text;
  } catch {
    return text;
  }
}

// The order of an ack and the event behind it, and that of rooms and names, is not the reference's
// to keep.
function sorted(messages) {
  const by = (key) => (a, b) => (a[key] < b[key] ? -1 : 1);

  for (const m of messages) {
    const data = m.plugindata?.data ?? m;
    data.list?.sort?.(by('room'));
    data.result?.list?.sort?.();
    if (!data.textroom) continue;
    data.participants?.sort?.(by('username'));
    data.allowed?.sort?.();
  }
  const acks = messages.filter((m) => m.janus === 'ack');
  return [...acks, ...messages.filter((m) => m.janus !== 'ack')];
}

export class Talk {
  // @server: { http, ws, admin }. @patience: how long to wait for messages that nobody announced.
  constructor(server, patience) {
    this.server = server;
    this.patience = patience;
    this.sockets = new Map();
    this.pending = new Map();
    this.kept = new Map();
    this.peers = new Peers((name, text) => this.channel(name).got.push(fromChannel(text)));
    this.channels = new Map();
    this.offers = new Map(); // of the server, by handle, until they are answered
    this.candidates = new Map(); // of the server, by the handle's id, until they are taken
  }

  channel(name) {
    if (!this.channels.has(name)) this.channels.set(name, { got: [] });
    return this.channels.get(name);
  }

  // Candidates are not written down: Sluice has them in its descriptions.
  hear(socket, m) {
    if (m.janus !== 'trickle') return socket.got.push(m);
    if (!this.candidates.has(m.sender)) this.candidates.set(m.sender, []);
    return this.candidates.get(m.sender).push(m.candidate);
  }

  async socket(name) {
    if (!this.sockets.has(name)) {
      const s = { got: [] };
      s.ws = await openWebSocket(this.server.ws, 'janus-protocol', (t) => this.hear(s, JSON.parse(t)));
      this.sockets.set(name, s);
    }
    return this.sockets.get(name);
  }

  // Until everything that @expected has came, or time is over.
  async settle(step, expected) {
    const times = step.slow ? SLOW : 1;
    const source = (name) => this.sockets.get(name) ?? this.channels.get(name);
    const isAnswered = () => step.silent || !(step.ws ?? step.data) ||
      source(step.ws ?? step.data)?.got.length > 0;
    const isThere = () => Object.entries(expected ?? {}).every(([name, list]) => name === 'http' ||
      (source(name)?.got.length ?? 0) >= list.length);

    for (let t = 0; t < ANSWER_MS && !isAnswered(); t += 2) await sleep(2);
    const more = step.less ? LESS_MS : MORE_MS * times;
    for (let t = 0; t < more && !isThere(); t += 2) await sleep(2);
    await sleep(this.patience * times);
  }

  // The SDP of the handle's own peer connection, for a step that says "offer" or "answer".
  async describe(handle, type, media) {
    if (media) await this.peers.media(handle);
    if (type === 'answer') await this.takeDescription(handle, this.offers.get(handle));
    return { type, sdp: await this.peers.describe(handle) };
  }

  async takeDescription(handle, jsep) {
    const id = this.kept.get(handle);
    await this.peers.take(handle, jsep);
    for (const c of this.candidates.get(id) ?? []) {
      if (c.candidate) await this.peers.add(handle, c);
    }
    this.candidates.delete(id);
  }

  async message(step) {
    const [session_id, handle_id] = step.msg.split('/');
    const jsep = typeof step.jsep === 'string' ? await this.describe(handle_id, step.jsep, step.media) : step.jsep;
    return fill({ janus: 'message', session_id, handle_id, body: step.body, jsep }, this.kept);
  }

  // What the server says to the handles' peer connections.
  async take(messages) {
    for (const { janus, jsep, sender } of messages) {
      const handle = [...this.kept].find(([, v]) => v === sender)?.[0];
      if (jsep?.type === 'offer') this.offers.set(handle, jsep);
      if (jsep?.type === 'answer' && this.peers.has(handle)) await this.takeDescription(handle, jsep);
      if (janus === 'hangup') {
        await this.peers.end(handle);
        this.candidates.delete(sender);
      }
    }
  }

  async play(step, expected) {
    const out = {};
    const s = fill(step, this.kept);
    let reply;

    if (s.ws) {
      const socket = await this.socket(s.ws);
      socket.ws.send(s.raw ?? JSON.stringify({ transaction: 't', ...(s.send ?? await this.message(step)) }));
    } else if (s.http || s.admin) {
      const answer = s.http ? request(this.server.http, s) : request(this.server.admin, { ...s, http: s.admin });
      if (s.later) this.pending.set(s.later, answer);
      else reply = await answer;
    } else if (s.await) {
      reply = await this.pending.get(s.await);
    } else if (s.data) {
      await this.peers.send(step.data, s.raw ?? JSON.stringify({ transaction: 't', ...s.body }));
    } else if (s.end) {
      await this.peers.end(step.end);
    } else if (s.close) {
      (await this.socket(s.close)).ws.close();
      this.sockets.delete(s.close);
    }
    await this.settle(step, expected);
    for (const [name, source] of [...this.sockets, ...this.channels]) {
      if (source.got.length) out[name] = sorted(source.got.splice(0));
    }
    if (reply) out.http = step.shape ? { ...reply, body: shape(reply.body) } : reply;
    this.keep(step, out);
    await this.take(Object.values(out).flat());
    return hide(this.pick(step, out), this.kept);
  }

  keep(step, out) {
    const all = [...Object.values(out).flat(), ...(out.http ? [out.http.body].flat() : [])];

    for (const [name, path] of Object.entries(step.keep ?? {})) {
      const value = all.map((m) => at(m, path)).find((v) => v !== undefined);
      if (value !== undefined) this.kept.set(`$${name}`, value);
      else if (!step.maybe) throw new Error(`${step.name}: nothing at ${path} in ${JSON.stringify(all)}`);
    }
  }

  pick(step, out) {
    if (!step.pick) return out;
    const only = (m) => Object.fromEntries(step.pick.filter((k) => m[k] !== undefined).map((k) => [k, m[k]]));
    return Object.fromEntries(Object.entries(out).map(([name, v]) =>
      [name, name === 'http' ? { ...v, body: only(v.body) } : v.map(only)]));
  }

  async close() {
    for (const s of this.sockets.values()) s.ws.close();
    await this.peers.close();
  }
}
