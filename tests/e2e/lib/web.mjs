// Serves the test pages and, untouched, the packages that they use. Another origin than sluice's.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { e2eDir } from './paths.mjs';

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
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
