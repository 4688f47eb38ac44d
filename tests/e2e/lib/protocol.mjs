// The session protocol without a library: one class per transport, the same methods.

import assert from 'node:assert/strict';
import http from 'node:http';
import { WebSocket } from 'ws';

const WAIT_MS = 20000;
let serial = 0;

export const transaction = () => `t${++serial}`;

export class WsClient {
  constructor(url, protocol = 'janus-protocol') {
    this.url = url;
    this.protocol = protocol;
    this.received = []; // messages nobody waited for yet
    this.waiting = [];
  }

  static async open(url, protocol) {
    const c = new WsClient(url, protocol);
    c.socket = new WebSocket(url, c.protocol);
    c.closed = new Promise((resolve) => {
      c.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    c.socket.on('message', (data) => c.take(JSON.parse(data)));
    await new Promise((resolve, reject) => {
      c.socket.once('open', resolve);
      c.socket.once('error', reject);
    });
    return c;
  }

  take(message) {
    const i = this.waiting.findIndex((w) => w.matches(message));
    if (i < 0) this.received.push(message);
    else this.waiting.splice(i, 1)[0].resolve(message);
  }

  sendRaw(text) {
    this.socket.send(text);
  }

  // The first message, past or future, for which @matches is true.
  next(matches = () => true, ms = WAIT_MS) {
    const i = this.received.findIndex(matches);
    if (i >= 0) return Promise.resolve(this.received.splice(i, 1)[0]);
    return new Promise((resolve, reject) => {
      const w = { matches, resolve };
      this.waiting.push(w);
      setTimeout(() => {
        const at = this.waiting.indexOf(w);
        if (at < 0) return;
        this.waiting.splice(at, 1);
        reject(new Error(`no such message within ${ms} ms: ${matches}\nleft over: ` +
          JSON.stringify(this.received)));
      }, ms).unref();
    });
  }

  // Sends a request and gives its direct answer (success, error, ack, ...).
  request(message) {
    const t = message.transaction ?? transaction();
    this.sendRaw(JSON.stringify({ transaction: t, ...message }));
    return this.next((m) => m.transaction === t && m.janus !== 'event');
  }

  async create(extra) {
    const reply = await this.request({ janus: 'create', ...extra });
    assert.equal(reply.janus, 'success', JSON.stringify(reply));
    return reply.data.id;
  }

  async attach(session_id, plugin, extra) {
    const reply = await this.request({ janus: 'attach', session_id, plugin, ...extra });
    assert.equal(reply.janus, 'success', JSON.stringify(reply));
    return reply.data.id;
  }

  // Sends a plugin message; gives the data of the success, or of the event that follows the ack.
  async message(session_id, handle_id, body, jsep) {
    const t = transaction();
    const answer = await this.request({ janus: 'message', session_id, handle_id, body, jsep, transaction: t });
    if (answer.janus === 'success') return { ...answer.plugindata.data, jsep: answer.jsep };
    assert.equal(answer.janus, 'ack', JSON.stringify(answer));
    const event = await this.next((m) => m.transaction === t && m.janus === 'event');
    return { ...event.plugindata.data, jsep: event.jsep };
  }

  close() {
    this.socket.close();
    return this.closed;
  }
}

// One HTTP request: { status, headers, text, json }.
export function httpRequest(url, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method, headers, agent: false, timeout: 40000 }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (d) => (text += d));
      res.on('end', () => {
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: res.statusCode, headers: res.headers, text, json });
      });
    });
    req.on('error', reject);
    req.on('timeout', () => req.destroy(new Error('timeout')));
    req.end(body);
  });
}

export class HttpClient {
  constructor(base) {
    this.base = base;
  }

  post(path, message) {
    const body = typeof message === 'string' ? message : JSON.stringify({ transaction: transaction(), ...message });
    return httpRequest(this.base + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  }

  get(path) {
    return httpRequest(this.base + path);
  }

  async create() {
    const { json } = await this.post('', { janus: 'create' });
    assert.equal(json.janus, 'success');
    return json.data.id;
  }
}
