// Registers tests, runs them one after the other and counts. A test is
//
//   test('echo', { variants: [['chromium', 'lite']], tags: ['asan'], timeout: 30 }, async (t) => {});
//
// variants: pairs of browser and ICE back end of the normal run; with --all a test that has some
// runs in all pairs of `browsers` (default: both) and both back ends. link: it runs where there is a
// bad link, see lib/link.mjs. `t` gives servers and pages and puts them away afterwards:
// lib/context.mjs.

import { performance } from 'node:perf_hooks';
import { Context } from './context.mjs';
import { closeBrowsers } from './browsers.mjs';
import { againAtLink, isAtLink } from './link.mjs';

const tests = [];

export function test(name, opts, fn) {
  tests.push({ name, tags: [], timeout: 45, browsers: ['chromium', 'firefox'], ...opts, fn });
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

async function runOne(t) {
  const context = new Context(t);
  const errors = [];
  try {
    await within(t.timeout, t.fn(context));
  } catch (e) {
    errors.push(e);
    await within(10, context.evidence()).catch((e2) => errors.push(e2));
  }
  try {
    await within(30, context.close());
  } catch (e) {
    errors.push(e);
  }
  return { errors, notes: context.notes };
}

export async function runAll(options) {
  const planned = plan(options);
  const here = planned.filter((t) => !!t.link === isAtLink);
  let passed = 0;
  let failed = 0;
  for (const t of here) {
    const t0 = performance.now();
    const { errors, notes } = await runOne(t);
    const time = `${((performance.now() - t0) / 1000).toFixed(1)} s`;
    if (errors.length) failed++;
    else passed++;
    console.log(`${errors.length ? 'FAIL' : 'PASS'}: ${t.name} (${time})`);
    for (const n of notes) console.log(`      ${n}`);
    for (const e of errors) console.log(String(e?.stack ?? e).replace(/^/gm, '      '));
  }
  await closeBrowsers();
  if (!planned.length) {
    console.log('no test has such a name');
    failed++;
  }
  if (here.length || !planned.length) console.log(`${passed} passed, ${failed} failed`);
  const others = here.length < planned.length && !isAtLink;
  return (!others || (await againAtLink()) === 0) && failed === 0;
}
