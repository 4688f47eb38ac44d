// node tests/authors/run.mjs [NAME...]
//
// What authors of plugins rely on: the installed headers, sluice.pc, the examples out of tree, the
// tutorial of docs/plugins.md as it stands in the text. Runs the tests whose name contains one of
// NAME, or all. The tree under test is $SLUICE_BUILD, else build/; it is installed from as it is.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import fs from 'node:fs';
import path from 'node:path';
import { buildDir, topDir } from '../e2e/lib/paths.mjs';
import { Server } from '../e2e/lib/server.mjs';
import { freePorts } from '../e2e/lib/ports.mjs';
import { until } from '../e2e/lib/until.mjs';
import { buildPlugin, run, stage } from './stage.mjs';

const dir = path.join(buildDir, 'authors');
const staged = await stage(buildDir, path.join(dir, 'stage'));
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

const pkgConfig = async (...args) => (await run('pkg-config', args, { env: staged.env })).trim();

await test('sluice.pc tells flags, folders and versions', async () => {
  const header = fs.readFileSync(path.join(topDir, 'include/sluice/plugin.h'), 'utf8');
  const abi = header.match(/#define SL_PLUGIN_ABI (\d+)/)[1];

  assert.match(await pkgConfig('--cflags', 'sluice'), new RegExp(`-I${staged.root}/include`));
  assert.equal(await pkgConfig('--variable=pluginsdir', 'sluice'), `${staged.root}/lib/sluice/plugins`);
  assert.equal(await pkgConfig('--variable=eventsdir', 'sluice'), `${staged.root}/lib/sluice/events`);
  assert.equal(await pkgConfig('--variable=plugin_abi', 'sluice'), abi);
  assert.match(await pkgConfig('--modversion', 'sluice'), /^\d+\.\d+\.\d+$/);
  assert.ok(fs.existsSync(`${staged.root}/lib/sluice/plugins/echotest.so`));
  assert.match(await pkgConfig('--libs', 'sluice-mock'), /-lsluice-mock.* -lcmocka/);
});

await test('each installed header compiles alone, as C and as C++', async () => {
  const folder = path.join(staged.root, 'include/sluice');
  const names = fs.readdirSync(folder).sort();
  const flags = (await pkgConfig('--cflags', 'sluice', 'sluice-mock')).split(' ');

  assert.deepEqual(names, fs.readdirSync(path.join(topDir, 'include/sluice')).sort());
  for (const name of names) {
    await Promise.all(['gcc', 'clang', 'g++', 'clang++'].map((cc) => run(cc,
      [...(cc.endsWith('++') ? ['-xc++', '-std=c++17'] : ['-xc', '-std=c11']), '-Wpedantic', '-Wall', '-Wextra', '-Werror',
        '-fsyntax-only', ...flags, '-'], { input: `#include <sluice/${name}>\n` })));
  }
});

// ---- plugins in a server ------------------------------------------------------------------------

const EXAMPLES = ['example', 'example-meter', 'example-player'];
let servers = 0;

// A server with these shared objects alone.
async function serve(plugins, conf = {}) {
  const home = path.join(dir, `server${++servers}`);
  const so = path.join(home, 'so');
  fs.rmSync(home, { recursive: true, force: true });
  fs.mkdirSync(so, { recursive: true });
  for (const file of plugins) fs.copyFileSync(file, path.join(so, path.basename(file)));
  const server = new Server(home, { ...conf, general: { ...conf.general, plugins_dir: so } }, {});
  await server.start();
  return server;
}

async function post(server, where, body) {
  const answer = await fetch(server.http + where, { method: 'POST', body: JSON.stringify({ transaction: 't', ...body }) });
  return answer.json();
}

// A session with a handle of @plugin.
async function attach(server, plugin) {
  const session = (await post(server, '', { janus: 'create' })).data.id;
  const handle = (await post(server, `/${session}`, { janus: 'attach', plugin })).data.id;
  const where = `/${session}/${handle}`;
  return {
    session,
    where,
    ask: async (body) => (await post(server, where, { janus: 'message', body })),
    event: async () => (await fetch(`${server.http}/${session}?maxev=1`)).json(),
    detach: () => post(server, where, { janus: 'detach' }),
  };
}

for (const cc of ['gcc', 'clang']) {
  await test(`the examples build out of tree with ${cc}, pass their own tests, and are loaded`, async () => {
    const built = await Promise.all(EXAMPLES.map((name) =>
      buildPlugin(staged, path.join(staged.root, 'share/doc/sluice', name), path.join(dir, `${name}-${cc}`), cc)));
    for (const name of EXAMPLES) {
      const text = await run('make', ['-s', '-C', path.join(dir, `${name}-${cc}`), `CC=${cc}`, 'CFLAGS=-O1 -Wall -Wextra -Werror', 'check'],
        { env: { ...staged.env, CMOCKA_MESSAGE_OUTPUT: 'TAP' } });
      assert.doesNotMatch(text, /^not ok/m);
      assert.match(text, /^ok 1/m);
    }
    const server = await serve(built, { general: { plugin_checks: 'yes' } });
    const hello = await attach(server, 'example.plugin.hello');
    assert.equal((await hello.ask({ request: 'greet', name: 'Ada' })).plugindata.data.text, 'Hello, Ada!');
    assert.equal((await hello.ask({ request: 'remind', after_ms: 50, text: 'tea' })).janus, 'ack');
    assert.equal((await hello.event()).plugindata.data.text, 'tea');
    const player = await attach(server, 'example.plugin.player');
    await player.ask({ request: 'watch' });
    assert.match((await player.event()).jsep.sdp, /m=audio .*\r\n[^]*m=video /);
    const meter = await attach(server, 'example.plugin.meter');
    assert.equal((await meter.ask({ request: 'listen' })).plugindata.data.error_code, 412);
    await server.stop();
  });
}

// ---- what plugins must not do -------------------------------------------------------------------

const bad = path.join(dir, 'bad.so');
const buildBad = async (...flags) => run('gcc', ['-std=gnu11', '-Wall', '-fPIC', '-shared', '-O1', '-pthread', ...flags,
  ...(await pkgConfig('--cflags', '--libs', 'sluice')).split(' '), '-o', bad, path.join(topDir, 'tests/authors/bad/bad.c')]);

await test('a plugin of another ABI keeps the server from starting, with one sentence', async () => {
  await buildBad('-DABI=77');
  await assert.rejects(serve([bad]), /plugin \S*bad\.so was built for ABI 77, this server needs \d+: rebuild it/);
});

// Request, the call that is named, what is said of it.
const BREACHES = [
  ['wrong_thread', 'event', /other thread/],
  ['stale_handle', 'close_pc', /handle whose detach was called/],
  ['end_twice', 'end_handle', /has ended already/],
  ['no_answer', 'message', /without reply, ack or hold/],
  ['event_before_ack', 'event', /before ack/],
  ['event_elsewhere', 'event', /request of another handle/],
  ['hold_after_ack', 'hold', /has acknowledged/],
  ['changes_lent', 'message', /changed JSON/],
  ['save_elsewhere', 'config_save', /other thread/],
  ['reply_twice', 'reply', /answered already/],
  ['event_after_end', 'event', /answered already/],
  ['endpoint_twice', 'endpoint_del', /has deleted/],
  ['gives_lent', 'reply', /lent to message/],
  ['gives_lent_member', 'message', /gave away JSON/],
  ['keeps_lent', 'reply', /lent to message/],
];

for (const [request, call, what] of BREACHES) {
  await test(`plugin_checks names plugin and call: ${request}`, async () => {
    if (!fs.existsSync(bad) || request === 'wrong_thread') await buildBad();
    const server = await serve([bad], { general: { plugin_checks: 'yes' } });
    const gone = await attach(server, 'test.plugin.bad');
    await gone.detach();
    await attach(server, 'test.plugin.bad');
    const h = await attach(server, 'test.plugin.bad');
    for (let i = 0; i < 3; i++) await h.ask({ request, member: { deep: [1, 'two'] } }).catch(() => {});
    const { signal } = await server.exited;
    assert.equal(signal, 'SIGABRT');
    const line = server.log.split('\n').find((l) => l.includes('contract broken'));
    assert.match(line, new RegExp(`plugin=test.plugin.bad call=${call} what=`));
    assert.match(line, what);
  });
}

await test('without plugin_checks the same is survived', async () => {
  const server = await serve([bad]);
  for (const request of ['stale_handle', 'end_twice', 'reply_twice', 'event_after_end', 'endpoint_twice', 'event_before_ack',
    'event_elsewhere', 'hold_after_ack', 'changes_lent']) {
    const gone = await attach(server, 'test.plugin.bad');
    await gone.detach();
    await attach(server, 'test.plugin.bad');
    await (await attach(server, 'test.plugin.bad')).ask({ request });
  }
  const h = await attach(server, 'test.plugin.bad');
  assert.equal((await h.ask({ request: 'no_answer' })).error.code, 462);
  await server.stop();
  assert.match(server.log, /WARN plugin no_answer plugin=test.plugin.bad/);
});

await test('what a plugin leaves behind does not call it after its end', async () => {
  const server = await serve([bad]);
  const h = await attach(server, 'test.plugin.bad');
  const { port } = (await h.ask({ request: 'leaves_behind' })).plugindata.data;
  const socket = dgram.createSocket('udp4');
  // Text for the data m-line of wire index 0, all the time while the server stops.
  const rtp = Buffer.from('8000000100000000000003e86869', 'hex');
  const timer = setInterval(() => {
    for (let i = 0; i < 50; i++) {
      rtp.writeUInt16BE((rtp.readUInt16BE(2) + 1) & 0xffff, 2);
      socket.send(rtp, port, '127.0.0.1');
    }
  }, 1);
  try {
    await until('data', () => server.log.includes('bad data came'));
    await server.stop();
  } finally {
    clearInterval(timer);
    socket.close();
  }
  assert.match(server.log, /left endpoints behind plugin=test.plugin.bad n=1/);
  assert.ok(server.log.indexOf('bad fini over') > server.log.lastIndexOf('bad data came'));
});

// ---- docs/plugins.md -----------------------------------------------------------------------------

// Its fenced blocks: { lang, text }.
const blocks = [...fs.readFileSync(path.join(topDir, 'docs/plugins.md'), 'utf8').matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
  .map(([, lang, text]) => ({ lang, text }));

// Commands run in one shell, one block after the other; a text block is what the one before printed.
await test('the commands of docs/plugins.md do what the text says', async () => {
  const home = path.join(dir, 'tutorial');
  const steps = [];
  for (const b of blocks) {
    if (b.lang === 'sh') steps.push({ ...b });
    if (b.lang === 'text') steps.at(-1).want = b.text;
  }
  fs.rmSync(home, { recursive: true, force: true });
  fs.mkdirSync(home, { recursive: true });
  const script = ['set -e', 'trap \'[ -z "$server" ] || kill $server 2>/dev/null || true\' EXIT',
    ...steps.flatMap((step, n) => [`echo "@@@ ${n}"`, step.text])].join('\n');
  const out = await run('bash', ['-c', script],
    { cwd: home, env: { ...staged.env, port: String(await freePorts(3)) }, timeout: 300000 });
  const got = out.split(/^@@@ \d+\n/m).slice(1);
  assert.equal(got.length, steps.length);
  steps.forEach((step, n) => {
    if (step.want !== undefined) assert.equal(got[n], step.want, step.text);
  });
});

await test('the code that docs/plugins.md shows is that of the examples and headers', () => {
  const files = ['plugins/example', 'plugins/example-meter', 'plugins/example-player', 'include/sluice']
    .flatMap((d) => fs.readdirSync(path.join(topDir, d)).filter((f) => /\.[ch]$/.test(f)).map((f) => path.join(topDir, d, f)));
  const all = files.map((f) => fs.readFileSync(f, 'utf8'));
  const shown = blocks.filter((b) => b.lang === 'c');
  assert.ok(shown.length >= 5);
  for (const b of shown) assert.ok(all.some((text) => text.includes(b.text)), `nowhere:\n${b.text}`);
});

// ---- docs/events.md ------------------------------------------------------------------------------

await test('a handler of events of one\'s own, built as docs/events.md says', async () => {
  const own = path.join(dir, 'handler');
  const [, command] = /^```sh\n([^]*?)^```/m.exec(fs.readFileSync(path.join(topDir, 'docs/events.md'), 'utf8'));
  fs.rmSync(own, { recursive: true, force: true });
  fs.mkdirSync(own, { recursive: true });
  fs.copyFileSync(path.join(topDir, 'events/jsonlines/jsonlines.c'), path.join(own, 'mine.c'));
  await run('bash', ['-ec', command], { cwd: own, env: staged.env });
  const server = await serve([], { events: { enabled: 'yes', handlers: 'mine', dir: own } });
  await server.stop();
  const told = server.log.split('\n').filter((l) => l.startsWith('{')).map((l) => JSON.parse(l)).filter((e) => e.type === 256);
  assert.deepEqual([told[0].event.status, told.at(-1).event], ['started', { status: 'shutdown', signum: 15 }]);
});

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
