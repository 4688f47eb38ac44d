// A UDP path from pages to the server that can lose packets.

import dgram from 'node:dgram';

const bind = (socket) => new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));

export class LossyPath {
  // Packets lost on the way to the server and to the page, of 1.
  up = 0;
  down = 0;
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
      leg.on('message', (answer) => {
        if (Math.random() >= this.down) this.#fronts.get(serverPort).send(answer, port, address);
      });
      this.#legs.set(key, leg);
    }
    if (Math.random() >= this.up) leg.send(data, serverPort, '127.0.0.1');
  }

  // A description of the server that knows this path only.
  async through(jsep) {
    const serverPort = Number(/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) /m.exec(jsep.sdp)[1]);
    const { port } = (await this.#front(serverPort)).address();
    const lines = jsep.sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:'));
    const at = lines.findIndex((line) => line.startsWith('a=mid:'));
    lines.splice(at + 1, 0, `a=candidate:1 1 udp 2130706431 127.0.0.1 ${port} typ host`);
    return { ...jsep, sdp: lines.join('\r\n') };
  }

  stop() {
    for (const socket of [...this.#legs.values(), ...this.#fronts.values()]) socket.close();
  }
}
