// node tests/golden/run.mjs [--record HTTP_URL WS_URL] [NAME...]
//
// Plays the conversations of talks/ and compares what Sluice says with what the reference server
// said (NAME.golden.jsonl, recorded with --record from a running one). Every difference must be
// explained by a line of differences.jsonl, and every line must explain one. The tree under test is
// $SLUICE_BUILD, else build/. Needs nothing but node.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { differences, explains } from './lib/compare.mjs';
import { startSluice } from './lib/server.mjs';
import { Talk, readLines } from './lib/talk.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const talks = path.join(here, 'talks');
const args = process.argv.slice(2);
const record = args[0] === '--record' ? { http: args[1], ws: args[2] } : null;
const wanted = args.slice(record ? 3 : 0);

const names = fs.readdirSync(talks).filter((f) => f.endsWith('.jsonl') && !f.endsWith('.golden.jsonl'))
  .map((f) => f.slice(0, -'.jsonl'.length)).filter((n) => !wanted.length || wanted.includes(n)).sort();

async function recordTalk(name, server) {
  const talk = new Talk(server, 250);
  const steps = readLines(path.join(talks, `${name}.jsonl`));
  const file = fs.openSync(path.join(talks, `${name}.golden.jsonl`), 'w');

  for (const step of steps)
    fs.writeSync(file, `${JSON.stringify({ name: step.name, got: await talk.play(step) })}\n`);
  talk.close();
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
  talk.close();
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
    const server = await startSluice();
    try {
      const r = await checkTalk(name, server, rules);
      passed += r.passed;
      failed += r.failed;
    } finally {
      const status = await server.stop();
      if (status !== 0) {
        failed++;
        console.log(`not ok ${name}: the server ended with ${status}\n${server.log()}`);
      }
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

process.exit(await main());
