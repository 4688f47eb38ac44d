// Starts the built sluice on free loopback ports and ends it by its pid.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, gatherPlugins } from '../../lib/server.mjs';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const build = path.resolve(top, process.env.SLUICE_BUILD ?? 'build');
const ROOMS = `[room 1234]
description = Demo Room
secret = adminpwd
publishers = 6
bitrate = 128000
fir_freq = 10
`;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function startSluice() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-golden-'));
  const http = await freePorts(3);
  const [ws, media] = [http + 1, http + 2];
  const options = {
    'general.workers': 1,
    'general.config_dir': dir,
    'general.plugins_dir': gatherPlugins(build, path.join(dir, 'plugins')),
    'http.bind': '127.0.0.1',
    'http.port': http,
    'websockets.bind': '127.0.0.1',
    'websockets.port': ws,
    'media.bind': '127.0.0.1',
    'media.port': media,
  };
  let log = '';
  let status;

  fs.writeFileSync(path.join(dir, 'videoroom.conf'), ROOMS);
  const child = spawn(path.join(build, 'sluice'),
    Object.entries(options).flatMap(([k, v]) => ['-o', `${k}=${v}`]), { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.on('data', (d) => (log += d));
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve((status = code ?? signal))));

  for (let i = 0; i < 200 && status === undefined && !log.includes('control ready'); i++) await sleep(50);
  if (!log.includes('control ready')) {
    child.kill();
    throw new Error(`the server does not start:\n${log}`);
  }
  return {
    http: `http://127.0.0.1:${http}/janus`,
    ws: `ws://127.0.0.1:${ws}/`,
    log: () => log,
    async stop() {
      const timer = setTimeout(() => child.kill('SIGKILL'), 10000);
      child.kill('SIGTERM');
      await ended;
      clearTimeout(timer);
      fs.rmSync(dir, { recursive: true });
      return status;
    },
  };
}
