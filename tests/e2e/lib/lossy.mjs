// A UDP path from pages to the server that can lose what pages send. For ICE lite and Chromium, since
// full ICE finds other paths and Firefox has no loopback candidates: tests with it have no variants.

import dgram from 'node:dgram';

const bind = (socket) => new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));

export class LossyPath {
  lose = 0; // so many of 1
  repair = true; // packets that are sent again come through like others; else none of them does
  #rtx = new Set(); // their payload types
  #fronts = new Map(); // port of the server -> socket that stands for it
  #legs = new Map(); // port of the server and address of a page -> socket to the server

  async #front(serverPort) {
    let front = this.#fronts.get(serverPort);
    if (!front) {
      front = dgram.createSocket('udp4');
      front.on('message', (data, from) => this.#toServer(data, from, serverPort));
      this.#fronts.set(serverPort, front);
      await bind(front);
    }
    return front;
  }

  #toServer(data, { address, port }, serverPort) {
    const key = `${serverPort} ${address} ${port}`;
    let leg = this.#legs.get(key);
    if (!leg) {
      leg = dgram.createSocket('udp4');
      leg.on('message', (answer) => this.#fronts.get(serverPort).send(answer, port, address));
      this.#legs.set(key, leg);
    }
    const isRepair = data.length > 12 && data[0] >> 6 === 2 && this.#rtx.has(data[1] & 0x7f);
    if (Math.random() >= this.lose && (this.repair || !isRepair)) leg.send(data, serverPort, '127.0.0.1');
  }

  // A description of the server that knows this path only.
  async through(jsep) {
    const serverPort = Number(/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) /m.exec(jsep.sdp)[1]);
    const { port } = (await this.#front(serverPort)).address();
    for (const [, pt] of jsep.sdp.matchAll(/^a=rtpmap:(\d+) rtx\//gm)) this.#rtx.add(Number(pt));
    const lines = jsep.sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:'));
    const at = lines.findIndex((line) => line.startsWith('a=mid:'));
    lines.splice(at + 1, 0, `a=candidate:1 1 udp 2130706431 127.0.0.1 ${port} typ host`);
    return { ...jsep, sdp: lines.join('\r\n') };
  }

  // Packets get lost for good, while all else works.
  beBad(isBad) {
    this.lose = isBad ? 0.2 : 0;
    this.repair = !isBad;
  }

  stop() {
    for (const socket of [...this.#legs.values(), ...this.#fronts.values()]) socket.close();
  }
}
