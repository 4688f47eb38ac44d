// Registers tests, runs some at a time and counts. A test is
//
//   test('echo', { variants: [['chromium', 'lite']], tags: ['asan'], timeout: 30 }, async (t) => {});
//
// variants: pairs of browser and ICE back end of the normal run; with --all a test that has some
// runs in all pairs of `browsers` (default: both) and both back ends. link: it runs where there is a
// bad link, see lib/link.mjs. alone: it measures time, so nothing else runs beside it. `t` gives
// servers and pages and puts them away afterwards: lib/context.mjs.

import { performance } from 'node:perf_hooks';
import { Context } from './context.mjs';
import { Browsers } from './browsers.mjs';
import { againAtLink, isAtLink } from './link.mjs';

const tests = [];

export function test(name, opts, fn) {
  tests.push({ name, tags: [], timeout: 180, browsers: ['chromium', 'firefox'], ...opts, fn });
}

function variantsOf(t, options) {
  if (!t.variants) return [[null, null]];
  const widen = options.all || options.browsers || options.ice;
  if (!widen) return t.variants;
  const out = [];
  for (const browser of options.browsers ?? t.browsers)
    for (const ice of options.ice ?? ['lite', 'full']) {
      if (t.browsers.includes(browser)) out.push([browser, ice]);
    }
  return out;
}

function plan(options) {
  const out = [];
  for (const t of tests) {
    if (options.tag && !t.tags.includes(options.tag)) continue;
    if (t.tags.includes('long') && !options.all && !options.filters.length) continue;
    for (const [browser, ice] of variantsOf(t, options)) {
      const name = [t.name, browser, ice && `ice=${ice}`].filter(Boolean).join(' ');
      if (options.filters.length && !options.filters.some((f) => name.includes(f))) continue;
      out.push({ ...t, name, browser, ice });
    }
  }
  return out;
}

function within(seconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result after ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function runOne(t, browsers) {
  const context = new Context(t, browsers);
  const errors = [];
  try {
    await within(t.timeout, t.fn(context));
  } catch (e) {
    errors.push(e);
    await within(10, context.evidence()).catch((e2) => errors.push(e2));
  }
  try {
    await within(60, context.close());
  } catch (e) {
    errors.push(e);
  }
  return { errors, notes: context.notes };
}

function report(t, seconds, { errors, notes }) {
  console.log(`${errors.length ? 'FAIL' : 'PASS'}: ${t.name} (${seconds.toFixed(1)} s)`);
  for (const n of notes) console.log(`      ${n}`);
  for (const e of errors) console.log(String(e?.stack ?? e).replace(/^/gm, '      '));
}

// Takes tests from @queue until it is empty; how many of them failed.
async function work(queue) {
  const browsers = new Browsers();
  let failed = 0;
  for (let t = queue.shift(); t; t = queue.shift()) {
    const t0 = performance.now();
    const result = await runOne(t, browsers);
    report(t, (performance.now() - t0) / 1000, result);
    if (result.errors.length) failed++;
  }
  await browsers.close();
  return failed;
}

export async function runAll(options) {
  const planned = plan(options);
  const here = planned.filter((t) => !!t.link === isAtLink);
  const isAlone = (t) => t.alone || t.link;
  const beside = here.filter((t) => !isAlone(t));
  let failed = 0;
  for (const n of await Promise.all(Array.from({ length: options.jobs }, () => work(beside)))) failed += n;
  failed += await work(here.filter(isAlone));
  const passed = here.length - failed;
  if (!planned.length) {
    console.log('no test has such a name');
    failed++;
  }
  if (here.length || !planned.length) console.log(`${passed} passed, ${failed} failed`);
  const others = here.length < planned.length && !isAtLink;
  return (!others || (await againAtLink()) === 0) && failed === 0;
}
