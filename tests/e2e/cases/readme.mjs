// The README's requests, as they stand there, against a fresh server with the room file of conf/.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { test } from '../lib/runner.mjs';
import { topDir } from '../lib/paths.mjs';

const run = promisify(execFile);

test('the requests of the README', { tags: ['asan'] }, async (t) => {
  const rooms = fs.readFileSync(path.join(topDir, 'conf/videoroom.conf'), 'utf8');
  const server = await t.server({}, { 'videoroom.conf': rooms });
  const text = fs.readFileSync(path.join(topDir, 'README.md'), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([^]*?)^```/gm)].map((m) => m[1]);
  assert.equal(blocks.length, 3);
  const script = ['set -euo pipefail', ...blocks].join('\n').replaceAll('http://localhost:8088', server.pages);
  const { stdout, stderr } = await run('bash', ['-c', script], { timeout: 60000 });
  assert.equal(stderr, '');
  assert.match(stdout, /"janus\.plugin\.videoroom"/);
  assert.match(stdout, /"room":1234,"exists":true/);
  assert.match(stdout, /"videoroom":"created","room":42,"permanent":false/);
  assert.match(stdout, /"description":"Our room"/);
  assert.match(stdout, /"janus":"ack"/);
  assert.match(stdout, /"videoroom": "joined"/);
  assert.match(stdout, /"janus":"success"/);
});
