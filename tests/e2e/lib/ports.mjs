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

let next = FIRST + Math.floor(Math.random() * (END - FIRST));

// The first of @n ports in a row that are free for TCP and UDP. Tests run side by side: no port is
// given out again soon. All that one server needs is asked for at once.
export async function freePorts(n) {
  for (let tries = 0; tries < 100; tries++) {
    if (next + n > END) next = FIRST;
    const first = next;
    next += n;
    let free = 0;
    while (free < n && (await isTcpFree(first + free)) && (await isUdpFree(first + free))) free++;
    if (free === n) return first;
  }
  throw new Error('no free ports');
}
