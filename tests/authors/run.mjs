// node tests/authors/run.mjs [NAME...]
//
// What authors of plugins rely on: the installed headers, sluice.pc, the examples out of tree, the
// tutorial of docs/plugins.md as it stands in the text. Runs the tests whose name contains one of
// NAME, or all. The tree under test is $SLUICE_BUILD, else build/; it is installed from as it is.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { buildDir, topDir } from '../e2e/lib/paths.mjs';
import { run, stage } from './stage.mjs';

const dir = path.join(buildDir, 'authors');
const staged = stage(buildDir, path.join(dir, 'stage'));
const wanted = process.argv.slice(2);
let passed = 0;
let failed = 0;

async function test(name, fn) {
  if (wanted.length && !wanted.some((w) => name.includes(w))) return;
  const begun = Date.now();
  try {
    await fn();
    passed++;
    console.log(`ok     ${name} (${Date.now() - begun} ms)`);
  } catch (e) {
    failed++;
    console.log(`not ok ${name}\n${e.stack ?? e}`);
  }
}

const pkgConfig = (...args) => run('pkg-config', args, { env: staged.env }).trim();

await test('sluice.pc tells flags, folders and versions', () => {
  const header = fs.readFileSync(path.join(topDir, 'include/sluice/plugin.h'), 'utf8');
  const abi = header.match(/#define SL_PLUGIN_ABI (\d+)/)[1];

  assert.match(pkgConfig('--cflags', 'sluice'), new RegExp(`-I${staged.root}/include`));
  assert.equal(pkgConfig('--variable=pluginsdir', 'sluice'), `${staged.root}/lib/sluice/plugins`);
  assert.equal(pkgConfig('--variable=eventsdir', 'sluice'), `${staged.root}/lib/sluice/events`);
  assert.equal(pkgConfig('--variable=plugin_abi', 'sluice'), abi);
  assert.match(pkgConfig('--modversion', 'sluice'), /^\d+\.\d+\.\d+$/);
  assert.ok(fs.existsSync(`${staged.root}/lib/sluice/plugins/echotest.so`));
  assert.match(pkgConfig('--libs', 'sluice-mock'), /-lsluice-mock.* -lcmocka/);
});

await test('each installed header compiles alone, as C and as C++', () => {
  const folder = path.join(staged.root, 'include/sluice');
  const names = fs.readdirSync(folder).sort();
  const flags = pkgConfig('--cflags', 'sluice', 'sluice-mock').split(' ');

  assert.deepEqual(names, fs.readdirSync(path.join(topDir, 'include/sluice')).sort());
  for (const name of names) {
    for (const [cc, lang, std] of [['gcc', 'c', 'c11'], ['clang', 'c', 'c11'], ['g++', 'c++', 'c++17'],
      ['clang++', 'c++', 'c++17']]) {
      run(cc, [`-x${lang}`, `-std=${std}`, '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only', ...flags, '-'],
        { input: `#include <sluice/${name}>\n` });
    }
  }
});

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
