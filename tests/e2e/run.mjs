// node tests/e2e/run.mjs [--browsers LIST] [--ice LIST] [--tag TAG] [--all] [--jobs N] [NAME...]
//
// Runs the end-to-end tests, or those whose name contains one of NAME. --browsers and --ice run
// every media test in these browsers and with these back ends; --all in all of them, and the long
// tests too. --jobs: so many tests at a time. The tree under test is $SLUICE_BUILD, else build/. Logs and screenshots are put into
// its folder e2e/.

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { runAll } from './lib/runner.mjs';
import { e2eDir } from './lib/paths.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    browsers: { type: 'string' },
    ice: { type: 'string' },
    tag: { type: 'string' },
    all: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '1' },
  },
});

const cases = path.join(e2eDir, 'cases');
for (const name of fs.readdirSync(cases).sort()) {
  if (name.endsWith('.mjs')) await import(pathToFileURL(path.join(cases, name)).href);
}

const ok = await runAll({
  filters: positionals,
  tag: values.tag,
  all: values.all,
  jobs: Number(values.jobs),
  browsers: values.browsers?.split(','),
  ice: values.ice?.split(','),
});
process.exit(ok ? 0 : 1);
