// The bad link of tests with `link: true` (tests/impair): they and the browser under test are at
// its near end, the server and who publishes at the far one.

import { spawn } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { buildDir, topDir } from './paths.mjs';

export const NEAR = '10.77.0.1';
export const FAR = '10.77.0.2';
export const farScript = path.join(topDir, 'tests/impair/far.sh');

export const isAtLink = !!process.env.IMPAIR_CONTROL;

// The same program once more, at the link; its exit code.
export function againAtLink() {
  const program = path.join(buildDir, 'tests/impair/impair');
  const child = spawn(program, process.argv, { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
}

export const atFar = (program, args) => ['nsenter', [`--net=${process.env.IMPAIR_FAR}`, '--', program, ...args]];

const HARMLESS = 'both rate=1000M queue=100ms delay=0ms jitter=0ms loss=0 burst=0 reorder=0';

class Link {
  #socket = new net.Socket({ fd: Number(process.env.IMPAIR_CONTROL) });
  #text = '';
  #waiting = [];

  constructor() {
    this.#socket.on('data', (data) => {
      const lines = (this.#text + data).split('\n');
      this.#text = lines.pop();
      for (const line of lines) this.#waiting.shift()(line);
    });
  }

  #say(line) {
    this.#socket.write(`${line}\n`);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  // 'down rate=600k queue=300ms' and the like: tests/impair/impair_link.h.
  async set(line) {
    const answer = await this.#say(line);
    if (answer !== 'ok') throw new Error(`${line}: ${answer}`);
  }

  reset() {
    return this.set(HARMLESS);
  }

  async stats() {
    return JSON.parse(await this.#say('stats'));
  }
}

export const link = isAtLink ? new Link() : undefined;
