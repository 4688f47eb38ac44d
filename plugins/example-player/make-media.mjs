// node make-media.mjs: makes picture.ivf and tone.ivf anew, with the encoders of Chromium.
//
// Four seconds of each, to be played in a loop: VP8 320x180 with 15 frames a second and a key frame
// every second, and opus, a tone of 440 Hz with a beep at each second, in frames of 20 ms.
// Needs playwright-core (here: `npm ci` in tests/e2e) and CHROMIUM, else /usr/bin/chromium.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const { chromium } = createRequire(path.join(here, '../../tests/e2e/'))('playwright-core');

// Runs in the page. Frames as { time (microseconds), key, data (base64) }.
async function encode() {
  const SECONDS = 4;
  const FPS = 15;
  const RATE = 48000;
  const frames = { picture: [], tone: [] };
  const take = (list) => (chunk) => {
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    list.push({ time: chunk.timestamp, key: chunk.type === 'key', data: btoa(String.fromCharCode(...bytes)) });
  };

  const video = new VideoEncoder({ output: take(frames.picture), error: (e) => { throw e; } });
  video.configure({ codec: 'vp8', width: 320, height: 180, bitrate: 120000, framerate: FPS });
  const canvas = new OffscreenCanvas(320, 180);
  const c = canvas.getContext('2d');
  for (let n = 0; n < SECONDS * FPS; n++) {
    const turn = (2 * Math.PI * n) / (SECONDS * FPS);
    c.fillStyle = '#203040';
    c.fillRect(0, 0, 320, 180);
    c.fillStyle = '#f0a030';
    c.beginPath();
    c.arc(160 + 110 * Math.sin(turn), 90 - 50 * Math.cos(2 * turn), 24, 0, 7);
    c.fill();
    c.strokeStyle = 'white';
    c.lineWidth = 4;
    c.beginPath();
    c.moveTo(160, 90);
    c.lineTo(160 + 70 * Math.sin(turn), 90 - 70 * Math.cos(turn));
    c.stroke();
    const frame = new VideoFrame(canvas, { timestamp: Math.round((n * 1e6) / FPS) });
    video.encode(frame, { keyFrame: n % FPS === 0 });
    frame.close();
  }
  await video.flush();

  const audio = new AudioEncoder({ output: take(frames.tone), error: (e) => { throw e; } });
  audio.configure({ codec: 'opus', sampleRate: RATE, numberOfChannels: 1, bitrate: 24000 });
  const N = RATE / 50;
  for (let n = 0; n < SECONDS * 50; n++) {
    const data = new Float32Array(N);
    for (let i = 0; i < N; i++) {
      const t = (n * N + i) / RATE;
      data[i] = 0.2 * Math.sin(2 * Math.PI * 440 * t) + (t % 1 < 0.1 ? 0.3 * Math.sin(2 * Math.PI * 880 * t) : 0);
    }
    const sound = new AudioData({
      format: 'f32', sampleRate: RATE, numberOfChannels: 1, numberOfFrames: N, timestamp: n * 20000, data,
    });
    audio.encode(sound);
    sound.close();
  }
  await audio.flush();
  return frames;
}

// https://wiki.multimedia.cx/index.php/IVF, with times in microseconds; opus in IVF is our own.
function ivf(fourcc, frames) {
  const head = Buffer.alloc(32);
  head.write('DKIF', 0);
  head.writeUInt16LE(32, 6);
  head.write(fourcc, 8);
  head.writeUInt16LE(fourcc === 'VP80' ? 320 : 0, 12);
  head.writeUInt16LE(fourcc === 'VP80' ? 180 : 0, 14);
  head.writeUInt32LE(1000000, 16);
  head.writeUInt32LE(1, 20);
  head.writeUInt32LE(frames.length, 24);
  const parts = [head];
  for (const f of frames) {
    const data = Buffer.from(f.data, 'base64');
    const h = Buffer.alloc(12);
    h.writeUInt32LE(data.length, 0);
    h.writeBigUInt64LE(BigInt(f.time), 4);
    parts.push(h, data);
  }
  return Buffer.concat(parts);
}

const web = http.createServer((q, r) => r.end('<!doctype html>')).listen(0, '127.0.0.1');
await new Promise((resolve) => web.once('listening', resolve));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${web.address().port}/`); // a secure context has encoders
const { picture, tone } = await page.evaluate(encode);
await browser.close();
web.close();
fs.writeFileSync(path.join(here, 'picture.ivf'), ivf('VP80', picture));
fs.writeFileSync(path.join(here, 'tone.ivf'), ivf('OPUS', tone.slice(0, 200)));
console.log(`${picture.length} pictures (${picture.filter((f) => f.key).length} key), ${tone.length} frames of sound`);
