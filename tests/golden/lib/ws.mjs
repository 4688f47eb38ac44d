// A WebSocket client of a few lines: text frames, no extensions, ws:// only.

import crypto from 'node:crypto';
import net from 'node:net';

function frame(opcode, payload) {
  const mask = crypto.randomBytes(4);
  const n = payload.length;
  const head = n < 126 ? Buffer.from([0x80 | opcode, 0x80 | n])
    : n < 65536 ? Buffer.from([0x80 | opcode, 0xfe, n >> 8, n & 255])
      : Buffer.concat([Buffer.from([0x80 | opcode, 0xff, 0, 0, 0, 0]), u32(n)]);
  const body = Buffer.from(payload);
  for (let i = 0; i < n; i++) body[i] ^= mask[i & 3];
  return Buffer.concat([head, mask, body]);
}

function u32(n) {
  const b = Buffer.alloc(4);
  b.writeUInt32BE(n);
  return b;
}

// One frame of a server at the start of @buf: { opcode, fin, payload, size }, or null.
function parse(buf) {
  if (buf.length < 2) return null;
  let n = buf[1] & 0x7f;
  let at = 2;
  if (n === 126) {
    if (buf.length < 4) return null;
    n = buf.readUInt16BE(2);
    at = 4;
  } else if (n === 127) {
    if (buf.length < 10) return null;
    n = Number(buf.readBigUInt64BE(2));
    at = 10;
  }
  if (buf.length < at + n) return null;
  return { opcode: buf[0] & 15, fin: buf[0] >> 7, payload: buf.subarray(at, at + n), size: at + n };
}

// Connects; @onText gets each message.
export function openWebSocket(url, protocol, onText) {
  const { hostname, port, pathname } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  const key = crypto.randomBytes(16).toString('base64');
  let buf = Buffer.alloc(0);
  let parts = [];
  let open = false;

  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\n` +
    `Connection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Protocol: ${protocol}\r\n\r\n`);
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${url}: closed`)));
    socket.on('data', (data) => {
      buf = Buffer.concat([buf, data]);
      if (!open) {
        const end = buf.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = buf.subarray(0, end).toString();
        if (!/^HTTP\/1.1 101/.test(head)) return reject(new Error(head));
        buf = buf.subarray(end + 4);
        open = true;
        resolve({
          send: (text) => socket.write(frame(1, Buffer.from(text))),
          close: () => socket.destroy(),
        });
      }
      for (let f = parse(buf); f; f = parse(buf)) {
        buf = buf.subarray(f.size);
        if (f.opcode === 9) socket.write(frame(10, f.payload));
        if (f.opcode > 2) continue;
        parts.push(f.payload);
        if (!f.fin) continue;
        onText(Buffer.concat(parts).toString());
        parts = [];
      }
    });
  });
}
