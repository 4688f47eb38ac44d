// Reads captures of the admin API: pcap with raw IP packets that hold UDP.

import assert from 'node:assert/strict';
import fs from 'node:fs';

// [{ at (seconds), from, to (address:port), payload }]
export function readPcap(file) {
  const b = fs.readFileSync(file);
  assert.equal(b.readUInt32LE(0), 0xa1b2c3d4);
  assert.equal(b.readUInt32LE(20), 101, 'LINKTYPE_RAW');
  const packets = [];
  let at = 24;

  while (at < b.length) {
    const kept = b.readUInt32LE(at + 8);
    packets.push(parse(b.readUInt32LE(at) + b.readUInt32LE(at + 4) / 1e6, b.subarray(at + 16, at + 16 + kept)));
    at += 16 + kept;
  }
  assert.equal(at, b.length, 'whole records');
  return packets;
}

function parse(at, ip) {
  assert.equal(ip[0], 0x45);
  assert.equal(ip[9], 17);
  assert.equal(ip.readUInt16BE(2), ip.length);
  assert.equal(ip.readUInt16BE(24), ip.length - 20);
  const address = (o) => [...ip.subarray(o, o + 4)].join('.');
  return {
    at,
    from: `${address(12)}:${ip.readUInt16BE(20)}`,
    to: `${address(16)}:${ip.readUInt16BE(22)}`,
    payload: ip.subarray(28),
  };
}

// RFC 5761 section 4
export const isRtcp = (p) => p.payload[1] >= 192 && p.payload[1] <= 223;

// RFC 3550 section 5.1
export function rtp({ payload }) {
  let at = 12 + 4 * (payload[0] & 15);
  if (payload[0] & 16) at += 4 + 4 * payload.readUInt16BE(at + 2);
  const end = payload.length - (payload[0] & 32 ? payload[payload.length - 1] : 0);
  return {
    pt: payload[1] & 127,
    seq: payload.readUInt16BE(2),
    ts: payload.readUInt32BE(4),
    ssrc: payload.readUInt32BE(8),
    body: payload.subarray(at, end),
  };
}
