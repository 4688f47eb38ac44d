// Serves the test pages and, untouched, the packages that they use. Another origin than sluice's.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { isAtLink, NEAR } from './link.mjs';
import { e2eDir } from './paths.mjs';

export const LINK_PORT = 8000; // at the link, where all ports are ours

const FILES = {
  '/janus.js': 'node_modules/janus-gateway/npm/dist/janus.es.js',
  '/coverage.js': 'lib/coverage.mjs',
  '/adapter.js': 'node_modules/webrtc-adapter/out/adapter.js',
};
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };

export class Web {
  async start() {
    this.server = http.createServer((req, res) => {
      const name = new URL(req.url, 'http://x').pathname;
      const file = FILES[name] ?? path.join('www', path.basename(name));
      fs.readFile(path.join(e2eDir, file), (err, data) => {
        res.writeHead(err ? 404 : 200, { 'content-type': TYPES[path.extname(name)] ?? 'text/plain' });
        res.end(err ? 'not found' : data);
      });
    });
    const where = isAtLink ? [LINK_PORT, '0.0.0.0'] : [0, '127.0.0.1'];
    await new Promise((resolve) => this.server.listen(...where, resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    this.urlFromFar = `http://${NEAR}:${LINK_PORT}`;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
