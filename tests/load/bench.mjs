// Runs the cases of the load generator against the bare forwarder, Sluice and, with --compare,
// Debian's janus, one after the other and several times over, and prints medians: a ratio is worth
// something only within one run on one machine. docs/benchmarks.md tells more.
//
//   node tests/load/bench.mjs [--build DIR] [--runs 5] [--seconds 3] [--compare] [--only WORDS]
//
// A table for people, and a line of JSON for each case.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const JANUS = '/usr/bin/janus';
const LIMIT_MS = 120000;

const { values: opt } = parseArgs({
  options: {
    build: { type: 'string', default: process.env.top_builddir ?? 'build' },
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    compare: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});
const runs = Number(opt.runs);

// What is measured, in the order in which each round goes through it.
const programs = {
  floor: ['--floor', path.join(opt.build, 'tests/bench/floor/floor'), '--method', 'gso'],
  sendto: ['--floor', path.join(opt.build, 'tests/bench/floor/floor'), '--method', 'sendto'],
  sluice: ['--server', path.join(opt.build, 'sluice')],
  janus: ['--janus', '--event-loops', String(os.cpus().length)],
  janus_default: ['--janus'],
};
const compared = opt.compare ? ['janus', 'janus_default'] : [];

const webinar = (n, ...more) => ['webinar', '--viewers', String(n), ...more];
const conference = (n, ...more) => ['conference', '--peers', String(n), ...more];

// floor, janus: what Sluice's CPU per packet may be of theirs; what else must hold is in `also`.
// sluice: options of its own; variants: Sluice with others; alone: not compared with janus.
const cases = [
  { name: '1 x 50', args: webinar(50), floor: 1.25, janus: 0.4 },
  { name: '1 x 100', args: webinar(100), floor: 1.25, janus: 0.4 },
  { name: '1 x 200', args: webinar(200), floor: 1.25, janus: 0.4, also: [noLoss, p99OfFloor] },
  { name: '1 x 400', args: webinar(400), also: [noLoss, p99OfFloor] },
  {
    // In the first seconds libnice still checks pairs that lost.
    name: '1 x 100, ice=full',
    args: webinar(100, '--settle', '4'),
    sluice: ['-o', 'media.ice=full'],
    floor: 1.35,
    alone: true,
  },
  { name: '1 x 100, spread', args: webinar(100, '--spread', '900') },
  {
    name: '1 x 100, AES128_CM_SHA1_80',
    args: webinar(100, '--profile', 'sha1_80'),
    floor: 1.8,
  },
  { name: 'conference of 5', args: conference(5), also: [lowLatency, latencyOfJanus] },
  { name: 'conference of 10', args: conference(10), floor: 1.6, janus: 0.5 },
  { name: 'conference of 15', args: conference(15), floor: 1.6, janus: 0.5 },
  {
    name: '4 rooms of 1 x 50, two workers',
    args: webinar(200, '--rooms', '4'),
    variants: { one_worker: ['-o', 'general.workers=1'] },
    sluice: ['-o', 'general.workers=2'],
    also: [noCostOfWorkers],
  },
  {
    name: '1 x 50, 5 % of packets lost',
    args: ['loss', '--viewers', '50', '--loss', '5'],
    floorless: true,
    alone: true, // janus takes the NACKs but sends nothing again
    also: [noLoss],
  },
  {
    name: '1 x 50, 5 capped at 500 kbit/s',
    args: ['capped', '--viewers', '50', '--capped', '5'],
    floorless: true,
  },
  { name: '1 x 50, simulcast', args: ['simulcast', '--viewers', '50'], floorless: true },
  {
    name: '50 joins per second',
    args: ['churn', '--viewers', '20', '--rate', '50'],
    floorless: true,
    also: [quickJoins],
  },
  {
    name: '200 joins in 5 s',
    args: ['instant', '--viewers', '200', '--seconds', '5'],
    floorless: true,
    alone: true, // janus has no key frames of its own to give
    also: [quickPictures, fewKeyFrames],
  },
  {
    name: '200 joins in 5 s, simulcast, two workers',
    args: ['instant-simulcast', '--viewers', '200', '--seconds', '5'],
    sluice: ['-o', 'general.workers=2'],
    floorless: true,
    alone: true,
    also: [quickPictures, fewKeyFrames],
  },
  { name: 'joins', args: ['joins', '--in-flight', '8'], floorless: true, also: [manyJoins] },
  {
    name: 'memory of an idle viewer',
    args: ['idle', '--peers', '300'],
    floorless: true,
    also: [memory(80)],
  },
  {
    name: 'memory, with data channels',
    args: ['idle', '--peers', '300', '--data'],
    floorless: true,
    also: [memory(110)],
  },
  {
    name: '10,000 idle sessions on 100 WebSockets',
    args: ['sessions', '--sockets', '100', '--sessions', '10000'],
    floorless: true,
    alone: true,
    also: [memoryOfSessions(2)],
  },
];

function median(numbers) {
  const sorted = numbers.filter((n) => Number.isFinite(n)).sort((a, b) => a - b);
  const half = sorted.length >> 1;

  if (!sorted.length) return NaN;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

// ---- what must hold: [text, whether it does], or nothing where it cannot be told ----

function noLoss({ sluice }) {
  return [`lost ${fixed(sluice.lost_percent)} % (0)`, sluice.lost_percent === 0];
}

function p99OfFloor({ sluice, floor }) {
  if (!floor) return undefined;
  const limit = floor.latency_ms_p99 + 2;
  return [
    `p99 ${fixed(sluice.latency_ms_p99)} ms (${fixed(limit)})`,
    sluice.latency_ms_p99 <= limit,
  ];
}

function lowLatency({ sluice: s }) {
  return [
    `p50 ${fixed(s.latency_ms_p50)} ms (0.1), p99 ${fixed(s.latency_ms_p99)} ms (1)`,
    s.latency_ms_p50 <= 0.1 && s.latency_ms_p99 <= 1,
  ];
}

function latencyOfJanus({ sluice: s, janus: j }) {
  if (!j) return undefined;
  return [
    `p50 and p99 not above janus (${fixed(j.latency_ms_p50)}, ${fixed(j.latency_ms_p99)} ms)`,
    s.latency_ms_p50 <= j.latency_ms_p50 && s.latency_ms_p99 <= j.latency_ms_p99,
  ];
}

function noCostOfWorkers({ sluice, one_worker: one }) {
  if (!one) return undefined;
  const ratio = sluice.server_cpu_us_per_packet / one.server_cpu_us_per_packet;
  return [`${fixed(ratio)} x one worker (1.1)`, ratio <= 1.1];
}

function quickJoins({ sluice: s }) {
  return [`first media p50 ${fixed(s.first_media_ms_p50)} ms (20)`, s.first_media_ms_p50 <= 20];
}

function quickPictures({ sluice: s }) {
  const ok = s.joined === 200 && s.first_key_ms_p95 <= 400;
  return [`first key frame p95 ${fixed(s.first_key_ms_p95)} ms (400) of ${s.joined}`, ok];
}

function fewKeyFrames({ sluice: s }) {
  const apart = s.key_request_apart_ms ?? Infinity;
  return [`${s.key_requests} key frames asked for, ${fixed(apart)} ms apart (1000)`, apart >= 1000];
}

function manyJoins({ sluice: s }) {
  const perCore = 1000 / s.server_cpu_ms_per_join;
  return [`${fixed(perCore)} joins per second of CPU (300)`, perCore >= 300];
}

function memory(limit) {
  return ({ sluice: s }) => [
    `${fixed(s.kib_per_peer)} KiB (${limit})`,
    s.kib_per_peer <= limit,
  ];
}

function memoryOfSessions(limit) {
  return ({ sluice: s }) => [
    `${fixed(s.kib_per_session)} KiB with its part of a WebSocket (${limit})`,
    s.kib_per_session <= limit,
  ];
}

// ---- running ----

function targetsOf(c) {
  const floors = c.floorless ? [] : c.args[0] === 'webinar' ? ['floor', 'sendto'] : ['floor'];
  return [...floors, 'sluice', ...Object.keys(c.variants ?? {}), ...(c.alone ? [] : compared)];
}

async function once(c, target) {
  const own = target === 'sluice' ? (c.sluice ?? []) : (c.variants?.[target] ?? []);
  const program = programs[target] ?? programs.sluice;
  const args = [...c.args, '--seconds', opt.seconds, ...program, ...own];

  try {
    const { stdout } = await run(path.join(opt.build, 'tests/load/load'), args, {
      timeout: LIMIT_MS,
    });
    return JSON.parse(stdout.trim().split('\n').at(-1));
  } catch (err) {
    console.error(`${c.name}, ${target}: ${(err.stderr || err.message).trim()}`);
    return undefined;
  }
}

// Medians of each number that the runs report.
function summary(results) {
  const out = { runs: results.length };

  for (const key of Object.keys(results[0] ?? {}))
    if (typeof results[0][key] === 'number') out[key] = median(results.map((r) => r[key]));
  return out;
}

async function measure(c) {
  const results = Object.fromEntries(targetsOf(c).map((t) => [t, []]));

  for (let i = 0; i < runs; i++)
    for (const target of targetsOf(c)) {
      const r = await once(c, target);
      if (r) results[target].push(r);
    }
  return Object.fromEntries(
    Object.entries(results)
      .filter(([, list]) => list.length)
      .map(([target, list]) => [target, summary(list)]),
  );
}

// ---- printing ----

function fixed(n) {
  return Number.isFinite(n) ? n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0) : '-';
}

const columns = [
  ['us/packet', 'server_cpu_us_per_packet'],
  ['packets/s', 'delivered_per_s'],
  ['lost %', 'lost_percent'],
  ['here', 'overflowed_here'],
  ['p50 ms', 'latency_ms_p50'],
  ['p90', 'latency_ms_p90'],
  ['p99', 'latency_ms_p99'],
  ['server %', 'server_cpu_percent'],
  ['load %', 'load_cpu_percent'],
  ['rest %', 'rest_cpu_percent'],
  ['KiB/session', 'kib_per_session'],
  ['KiB/peer', 'kib_per_peer'],
  ['KiB/socket', 'kib_per_socket'],
  ['KiB/handle', 'kib_per_handle'],
  ['connect p50', 'connect_ms_p50'],
  ['p99 ms', 'connect_ms_p99'],
  ['media p50', 'first_media_ms_p50'],
  ['ms ', 'first_media_ms_p99'],
  ['joins/s', 'joins_per_s'],
  ['ms/join', 'server_cpu_ms_per_join'],
];

function printTable(medians) {
  const used = columns.filter(([, key]) => Object.values(medians).some((m) => key in m));

  console.log(`  ${''.padEnd(14)}${used.map(([title]) => title.padStart(12)).join('')}`);
  for (const [target, m] of Object.entries(medians))
    console.log(
      `  ${target.padEnd(14)}${used.map(([, key]) => fixed(m[key]).padStart(12)).join('')}`,
    );
}

function ratioOf(c, medians, to) {
  const ours = medians.sluice?.server_cpu_us_per_packet;
  const theirs = medians[to]?.server_cpu_us_per_packet;

  return ours > 0 && theirs > 0 ? ours / theirs : undefined;
}

function verdicts(c, medians) {
  const list = [];

  for (const to of ['floor', 'janus']) {
    const ratio = ratioOf(c, medians, to);
    if (ratio === undefined) continue;
    const limit = c[to];
    list.push([
      `${fixed(ratio)} x ${to}${limit ? ` (${limit})` : ''}`,
      limit ? ratio <= limit : undefined,
    ]);
  }
  for (const check of c.also ?? []) {
    const v = medians.sluice ? check(medians) : undefined;
    if (v) list.push(v);
  }
  return list;
}

function report(c, medians) {
  const list = verdicts(c, medians);
  const ratio = (to) => ratioOf(c, medians, to);

  console.log(`\n${c.name}`);
  printTable(medians);
  for (const [text, ok] of list)
    console.log(`  ${ok === undefined ? '    ' : ok ? 'ok  ' : 'MISS'} ${text}`);
  console.log(
    JSON.stringify({
      bench: c.name,
      runs,
      ratio_floor: ratio('floor'),
      ratio_janus: ratio('janus'),
      missed: list.filter(([, ok]) => ok === false).map(([text]) => text),
      ...medians,
    }),
  );
}

if (opt.compare && !fs.existsSync(JANUS)) {
  console.error(`${JANUS} is not installed (Debian: janus): nothing to compare with`);
  process.exit(1);
}
console.log(
  `${os.cpus().length} x ${os.cpus()[0].model}, Linux ${os.release()}, ` +
    `medians of ${runs} runs of ${opt.seconds} s`,
);
for (const c of cases)
  if (c.name.includes(opt.only) || c.args[0] === opt.only) report(c, await measure(c));
