// node tests/golden/run.mjs [--record HTTP_URL WS_URL ADMIN_URL] [NAME...]
//
// Plays the conversations of talks/ and compares what Sluice says with what the reference server
// said (NAME.golden.jsonl, recorded with --record from a running one). Every difference must be
// explained by a line of differences.jsonl, and every line must explain one. The tree under test is
// $SLUICE_BUILD, as for the end-to-end tests (../e2e), whose server and browser these are.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDir } from '../e2e/lib/paths.mjs';
import { Server } from '../e2e/lib/server.mjs';
import { differences, explains } from './lib/compare.mjs';
import { browsers } from './lib/peers.mjs';
import { Talk, readLines } from './lib/talk.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const talks = path.join(here, 'talks');
// What the reference server's administrator must know.
const ADMIN = { admin: { enabled: 'yes', secret: 'refadmin' } };
// The rooms of the reference server.
const ROOMS = {
  'videoroom.conf': `[room 1234]
description = Demo Room
secret = adminpwd
publishers = 6
bitrate = 128000
fir_freq = 10
`,
  'textroom.conf': `[room 1234]
description = Demo Room
secret = adminpwd
`,
};
const args = process.argv.slice(2);
const record = args[0] === '--record' ? { http: args[1], ws: args[2], admin: args[3] } : null;
const wanted = args.slice(record ? 4 : 0);

const names = fs.readdirSync(talks).filter((f) => f.endsWith('.jsonl') && !f.endsWith('.golden.jsonl'))
  .map((f) => f.slice(0, -'.jsonl'.length)).filter((n) => !wanted.length || wanted.includes(n)).sort();

async function recordTalk(name, server) {
  const talk = new Talk(server, 250);
  const steps = readLines(path.join(talks, `${name}.jsonl`));
  const file = fs.openSync(path.join(talks, `${name}.golden.jsonl`), 'w');

  for (const step of steps) {
    const got = await talk.play(step);
    if ((step.ws || step.data) && !step.silent && !Object.keys(got).length)
      throw new Error(`${name}: ${step.name}: no answer`);
    fs.writeSync(file, `${JSON.stringify({ name: step.name, got })}\n`);
  }
  await talk.close();
  fs.closeSync(file);
  console.log(`${name}: ${steps.length} steps recorded`);
}

async function checkTalk(name, server, rules) {
  const talk = new Talk(server, 5);
  const steps = readLines(path.join(talks, `${name}.jsonl`));
  const golden = readLines(path.join(talks, `${name}.golden.jsonl`));
  let failed = 0;

  if (steps.length !== golden.length || steps.some((s, i) => s.name !== golden[i].name))
    throw new Error(`${name}.golden.jsonl was recorded for other steps`);
  for (const [i, step] of steps.entries()) {
    const got = await talk.play(step, golden[i].got);
    const wrong = [];

    for (const d of differences(golden[i].got, got)) {
      const rule = rules.find((r) => explains(r, name, step.name, d));
      if (rule) rule.used = true;
      else wrong.push(d);
    }
    if (!wrong.length) continue;
    failed++;
    console.log(`not ok ${name}: ${step.name}`);
    for (const d of wrong)
      console.log(`  ${d.at}: reference ${JSON.stringify(d.reference)}, sluice ${JSON.stringify(d.sluice)}`);
  }
  await talk.close();
  return { passed: steps.length - failed, failed };
}

async function main() {
  if (record) {
    for (const name of names) await recordTalk(name, record);
    return 0;
  }
  const rules = readLines(path.join(here, 'differences.jsonl'));
  let passed = 0;
  let failed = 0;

  for (const name of names) {
    const dir = path.join(buildDir, 'golden', name);
    const server = new Server(dir, ADMIN, ROOMS);
    try {
      fs.rmSync(dir, { recursive: true, force: true });
      await server.start();
      const r = await checkTalk(name, { http: server.http, ws: server.ws, admin: server.adminHttp }, rules);
      passed += r.passed;
      failed += r.failed;
      await server.stop();
    } catch (e) {
      failed++;
      console.log(`not ok ${name}: ${e.stack}`);
      await server.stop().catch(() => {});
    }
  }
  for (const r of rules) {
    if (r.used || wanted.length) continue;
    failed++;
    console.log(`not ok: nothing differs as this line says: ${JSON.stringify(r)}`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed ? 1 : 0;
}

const status = await main();
await browsers.close();
process.exit(status);
