// Ports for servers under test.

import dgram from 'node:dgram';
import net from 'node:net';

// Below the range of ephemeral ports: one of those may be taken by somebody's connection between
// the look and the start of the server. And above 10080, the highest port that browsers refuse to
// open (the Fetch standard's bad ports).
const FIRST = 10081;
const END = 30000;

const isTcpFree = (port) => new Promise((resolve) => {
  const s = net.createServer();
  s.on('error', () => resolve(false));
  s.listen(port, '127.0.0.1', () => s.close(() => resolve(true)));
});

const isUdpFree = (port) => new Promise((resolve) => {
  const s = dgram.createSocket('udp4');
  s.on('error', () => resolve(false));
  s.bind(port, '127.0.0.1', () => s.close(() => resolve(true)));
});

// Runners work side by side, too: each takes a block of ports, which is its own as long as it listens
// on the first of them.
const BLOCK = 500;

async function takeBlock() {
  const count = Math.floor((END - FIRST) / BLOCK);
  for (let i = 0; i < count; i++) {
    const first = FIRST + ((process.pid + i) % count) * BLOCK;
    const lock = net.createServer().unref();
    const isOurs = await new Promise((resolve) => {
      lock.on('error', () => resolve(false));
      lock.listen(first, '127.0.0.1', () => resolve(true));
    });
    if (isOurs) return { first: first + 1, next: first + 1, end: first + BLOCK, given: false };
  }
  throw new Error('all blocks of ports are taken');
}

let block; // a promise: ports from first to end, of which next is looked at next; given: some were free

// The first of @n ports in a row that are free for TCP and UDP. Tests run side by side: no port is
// given out again soon. All that one server needs is asked for at once.
export async function freePorts(n) {
  for (;;) {
    const b = await (block ??= takeBlock());
    if (b.next + n > b.end) { // round again, or in another one where others are in the way
      if (!b.given) block = undefined;
      Object.assign(b, { next: b.first, given: false });
      continue;
    }
    const first = b.next;
    b.next += n;
    let free = 0;
    while (free < n && (await isTcpFree(first + free)) && (await isUdpFree(first + free))) free++;
    if (free < n) continue;
    b.given = true;
    return first;
  }
}
