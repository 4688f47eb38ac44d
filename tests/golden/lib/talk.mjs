// Plays a conversation with a server and writes down what comes back.
//
// A conversation is a file of JSON lines, each a step:
//   {"name", "ws": SOCKET, "send": {...}}        a request over WebSocket; "raw": text as it is
//   {"name", "ws": SOCKET, "msg": "$S/$H", "body": {...}, "jsep": {...}}  a message to a plugin
//   {"name", "http": "POST /$S", "body": {...}}  over HTTP below the base path; "raw", "headers"
//     with "later": NAME it is not waited for until {"name", "await": NAME}
//   {"name", "close": SOCKET}                    the socket is closed
// Requests have the transaction "t" unless they bring one.
// "keep": {"S": "data.id"} remembers a value of the first message that has it: "$S" in later steps,
// and in all that is written down ("maybe": true, when it need not be there). "pick": [...] writes down these members only.
// What is written down of a step: { SOCKET: [messages], "http": {status, headers, body} }.

import fs from 'node:fs';
import http from 'node:http';
import { openWebSocket } from './ws.mjs';

const ANSWER_MS = 5000;
const MORE_MS = 1000; // what is expected behind the first message
const CHANCE = ['sdp', 'candidate']; // no two are the same
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
      [k, CHANCE.includes(k) && typeof v === 'string' ? `$${k}` : hide(v, kept)]));
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

// The order of an ack and the event behind it, and that of rooms, is not the reference's to keep.
function sorted(messages) {
  for (const m of messages) m.plugindata?.data?.list?.sort?.((a, b) => a.room - b.room);
  const acks = messages.filter((m) => m.janus === 'ack');
  return [...acks, ...messages.filter((m) => m.janus !== 'ack')];
}

export class Talk {
  // @server: { http, ws }. @patience: how long to wait for messages that nobody announced.
  constructor(server, patience) {
    this.server = server;
    this.patience = patience;
    this.sockets = new Map();
    this.pending = new Map();
    this.kept = new Map();
  }

  async socket(name) {
    if (!this.sockets.has(name)) {
      const s = { got: [] };
      s.ws = await openWebSocket(this.server.ws, 'janus-protocol', (t) => s.got.push(JSON.parse(t)));
      this.sockets.set(name, s);
    }
    return this.sockets.get(name);
  }

  // Until everything that @expected has came, or time is over.
  async settle(step, expected) {
    const isAnswered = () => !step.ws || this.sockets.get(step.ws).got.length > 0;
    const isThere = () => Object.entries(expected ?? {}).every(([name, list]) => name === 'http' ||
      (this.sockets.get(name)?.got.length ?? 0) >= list.length);

    for (let t = 0; t < ANSWER_MS && !isAnswered(); t += 2) await sleep(2);
    for (let t = 0; t < MORE_MS && !isThere(); t += 2) await sleep(2);
    await sleep(this.patience);
  }

  message(step) {
    const [session_id, handle_id] = step.msg.split('/');
    const { body, jsep } = step;
    return fill({ janus: 'message', session_id, handle_id, body, jsep }, this.kept);
  }

  async play(step, expected) {
    const out = {};
    const s = fill(step, this.kept);
    let reply;

    if (s.ws) {
      const socket = await this.socket(s.ws);
      socket.ws.send(s.raw ?? JSON.stringify({ transaction: 't', ...(s.send ?? this.message(step)) }));
    } else if (s.http) {
      const answer = request(this.server.http, s);
      if (s.later) this.pending.set(s.later, answer);
      else reply = await answer;
    } else if (s.await) {
      reply = await this.pending.get(s.await);
    } else if (s.close) {
      (await this.socket(s.close)).ws.close();
      this.sockets.delete(s.close);
    }
    await this.settle(s, expected);
    for (const [name, socket] of this.sockets) {
      if (socket.got.length) out[name] = sorted(socket.got.splice(0));
    }
    if (reply) out.http = reply;
    this.keep(step, out);
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

  close() {
    for (const s of this.sockets.values()) s.ws.close();
  }
}
