// What the end-to-end and the golden tests need to start a server of their own.

import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

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

// The first of `n` ports in a row that are free for TCP and UDP. All that one server needs is asked
// for at once: two looks may find the same port. Below the range of ephemeral ports: one of those
// may be taken by somebody's connection between the look and the start of the server.
export async function freePorts(n) {
  for (let tries = 0; tries < 100; tries++) {
    const first = 10000 + Math.floor(Math.random() * 20000);
    let free = 0;
    while (free < n && (await isTcpFree(first + free)) && (await isUdpFree(first + free))) free++;
    if (free === n) return first;
  }
  throw new Error('no free ports');
}

// The server wants all plugins in one folder, and all event handlers in another; a build tree has a
// folder for each. @kind: plugins or events.
function gather(build, kind, dir) {
  fs.mkdirSync(dir, { recursive: true });
  for (const name of fs.readdirSync(path.join(build, kind))) {
    const so = path.join(build, kind, name, '.libs', `${name}.so`);
    if (fs.existsSync(so)) fs.symlinkSync(so, path.join(dir, `${name}.so`));
  }
  return dir;
}

export const gatherPlugins = (build, dir) => gather(build, 'plugins', dir);
export const gatherHandlers = (build, dir) => gather(build, 'events', dir);
