// Starts the built sluice on free ports of the loopback interface and ends it by its pid.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { atFar, FAR } from './link.mjs';
import { buildDir, topDir } from './paths.mjs';
import { freePorts } from './ports.mjs';
import { sleep } from './until.mjs';

const WORKERS = 2;
const START_MS = 60000;
const STOP_MS = 30000; // a sanitizer looks for leaks then

const ROOMS = `
[room 1234]
description = Room of the tests
publishers = 20
bitrate = 0
`;

// Where media listens. Firefox has no loopback candidates and pairs its others with none, so the
// machine's own first address is there too; packets between the two stay in the machine.
function mediaAddresses() {
  const own = Object.values(os.networkInterfaces()).flat();
  const first = own.find((a) => a.family === 'IPv4' && !a.internal);
  return ['127.0.0.1', ...(first ? [first.address] : [])].join(',');
}

// The server wants all modules of a kind (plugins, events) in one folder; a build tree has a folder
// for each.
function gather(kind, dir) {
  fs.mkdirSync(dir, { recursive: true });
  for (const name of fs.readdirSync(path.join(buildDir, kind))) {
    const so = path.join(buildDir, kind, name, '.libs', `${name}.so`);
    if (fs.existsSync(so)) fs.symlinkSync(so, path.join(dir, `${name}.so`));
  }
  return dir;
}

function toIni(conf) {
  return Object.entries(conf)
    .map(([group, keys]) =>
      [`[${group}]`, ...Object.entries(keys).map(([k, v]) => `${k} = ${v}`), ''].join('\n'))
    .join('\n');
}

export class Server {
  // @far: at the far end of the link.
  constructor(dir, conf, files, far = false) {
    this.dir = dir;
    this.conf = conf;
    this.files = files;
    this.far = far;
    this.host = far ? FAR : '127.0.0.1';
    this.log = '';
  }

  async start() {
    fs.mkdirSync(this.dir, { recursive: true });
    this.httpPort = await freePorts(3 + WORKERS);
    this.wsPort = this.httpPort + 1;
    this.adminPort = this.httpPort + 2;
    this.mediaPort = this.httpPort + 3;
    const own = {
      general: {
        workers: WORKERS,
        log_level: 'debug',
        plugins_dir: gather('plugins', path.join(this.dir, 'plugins')),
      },
      http: { bind: this.host, port: this.httpPort },
      websockets: { bind: this.host, port: this.wsPort },
      admin: { bind: this.host, port: this.adminPort },
      events: { dir: gather('events', path.join(this.dir, 'events')) },
      media: { bind: this.far ? FAR : mediaAddresses(), port: this.mediaPort },
    };
    if (fs.existsSync(path.join(topDir, 'html'))) own.http.static_dir = path.join(topDir, 'html');
    for (const [group, keys] of Object.entries(this.conf))
      own[group] = { ...own[group], ...keys };
    fs.writeFileSync(path.join(this.dir, 'sluice.conf'), toIni(own));
    for (const [name, text] of Object.entries({ 'videoroom.conf': ROOMS, ...this.files }))
      fs.writeFileSync(path.join(this.dir, name), text);

    const command = [path.join(buildDir, 'sluice'), ['-c', path.join(this.dir, 'sluice.conf')]];
    this.child = spawn(...(this.far ? atFar(...command) : command), {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1',
        UBSAN_OPTIONS: 'print_stacktrace=1',
        TSAN_OPTIONS: 'halt_on_error=0',
      },
    });
    const file = fs.createWriteStream(path.join(this.dir, 'server.log'));
    this.child.stderr.on('data', (d) => {
      this.log += d;
      file.write(d);
    });
    this.exited = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        file.end();
        resolve({ code, signal });
      });
    });
    await this.waitUntilReady();
  }

  async waitUntilReady() {
    const gone = this.exited.then(() => 'gone');
    for (const end = Date.now() + START_MS; Date.now() < end;) {
      if ((await canConnect(this.host, this.httpPort)) && (await canConnect(this.host, this.wsPort))) return;
      if ((await Promise.race([gone, sleep(50)])) === 'gone')
        throw new Error(`the server did not start:\n${this.log.slice(-2000)}`);
    }
    throw new Error(`the server does not answer:\n${this.log.slice(-2000)}`);
  }

  get pid() {
    return this.child.pid;
  }
  get http() {
    return `http://${this.host}:${this.httpPort}/janus`;
  }
  get pages() {
    return `http://${this.host}:${this.httpPort}`;
  }
  get ws() {
    return `ws://${this.host}:${this.wsPort}/janus`;
  }
  // Only with admin.enabled.
  get admin() {
    return `ws://${this.host}:${this.adminPort}/admin`;
  }
  get adminHttp() {
    return `http://${this.host}:${this.adminPort}/admin`;
  }
  // WebSocket on the HTTP port.
  get wsUpgrade() {
    return `ws://${this.host}:${this.httpPort}/janus`;
  }

  // What leaks would show in: open files, threads, resident memory in KiB.
  usage() {
    const status = fs.readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return {
      fds: fs.readdirSync(`/proc/${this.pid}/fd`).length,
      threads: Number(/^Threads:\s+(\d+)/m.exec(status)[1]),
      rssKib: Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]),
    };
  }

  hasOpen(file) {
    const folder = `/proc/${this.pid}/fd`;
    return fs.readdirSync(folder).some((fd) => {
      try {
        return fs.readlinkSync(path.join(folder, fd)) === file;
      } catch {
        return false; // closed meanwhile
      }
    });
  }

  // Processor time so far, of all its threads.
  cpuMs() {
    const fields = fs.readFileSync(`/proc/${this.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10; // ticks of 1/100 s: proc(5)
  }

  async stop() {
    if (this.stopped) return;
    this.stopped = true;
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    if (this.child.exitCode === null) this.child.kill('SIGTERM');
    const { code, signal } = await this.exited;
    clearTimeout(timer);
    const report = /(ERROR: |WARNING: )\w*Sanitizer[^]*|runtime error: [^\n]*/.exec(this.log);
    assert.equal(report?.[0].slice(0, 4000), undefined, 'a sanitizer has something to say');
    assert.deepEqual({ code, signal }, { code: 0, signal: null },
      `exit of the server; its last words:\n${this.log.slice(-1500)}`);
  }
}

function canConnect(host, port) {
  return new Promise((resolve) => {
    const s = net.connect(port, host);
    s.on('connect', () => {
      s.destroy();
      resolve(true);
    });
    s.on('error', () => resolve(false));
  });
}
