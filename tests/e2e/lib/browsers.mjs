// Chromium through Playwright and Firefox through Puppeteer's WebDriver BiDi, with one face:
//
//   page.goto(url)  page.evaluate(fn, arg)  page.screenshot(file)  page.close()  page.log
//   page.click(selector)  page.fill(selector, text)  page.waitFor(fn, arg, seconds)  page.native
//
// Cameras and microphones are the browsers' fake ones, permissions are granted, nothing leaves the
// machine.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { farScript, NEAR } from './link.mjs';
import { sleep } from './until.mjs';
import { LINK_PORT } from './web.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

const CHROMIUM_ARGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

const FIREFOX_PREFS = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'media.gmp-manager.updateEnabled': false,
  'media.gmp-provider.enabled': false,
  'app.update.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disableIPv6': true,
};

const START_MS = 60000;
const ACTION_MS = 60000; // of what has no limit of its own
const END_MS = 15000;

// At the far end of the link, where the test's own web server has not the name that browsers trust.
const FAR_CHROMIUM = {
  executablePath: farScript,
  env: { ...process.env, FAR_PROGRAM: CHROMIUM },
  args: [...CHROMIUM_ARGS, `--unsafely-treat-insecure-origin-as-secure=http://${NEAR}:${LINK_PORT}`],
};

async function launchChromium(where = {}) {
  const { chromium } = await import('playwright-core');
  const server = await chromium.launchServer({
    executablePath: CHROMIUM,
    args: CHROMIUM_ARGS,
    timeout: START_MS,
    ...where,
    ignoreDefaultArgs: ['--headless', '--mute-audio'],
    host: '127.0.0.1',
  });
  const browser = await chromium.connect(server.wsEndpoint());
  return {
    kind: 'chromium',
    pid: server.process().pid,
    isAlive: () => browser.isConnected(),
    async newPage() {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ignoreHTTPSErrors: true });
      const native = await context.newPage();
      return { native, end: () => context.close() };
    },
    async close() {
      await browser.close().catch(() => {});
      await server.close().catch(() => {});
    },
  };
}

async function launchFirefox() {
  const { default: puppeteer } = await import('puppeteer-core');
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-firefox-'));
  const forget = () => fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX,
    headless: true,
    userDataDir: profile,
    timeout: START_MS,
    acceptInsecureCerts: true,
    extraPrefsFirefox: FIREFOX_PREFS,
    defaultViewport: { width: 1280, height: 800 },
  }).catch((e) => {
    forget();
    throw e;
  });
  return {
    kind: 'firefox',
    pid: browser.process().pid,
    isAlive: () => browser.connected,
    async newPage() {
      const native = await browser.newPage();
      return { native, end: () => native.close() };
    },
    async close() {
      await browser.close().catch(() => {});
      forget();
    },
  };
}

const launchers = {
  chromium: launchChromium,
  firefox: launchFirefox,
  far: () => launchChromium(FAR_CHROMIUM),
};

// Starts it; once more when it does not come up, which is no test's fault but told.
export async function launch(kind) {
  try {
    return await launchers[kind]();
  } catch (e) {
    console.log(`      (${kind} did not start, and is started again: ${String(e?.message ?? e).split('\n')[0]})`);
    return launchers[kind]();
  }
}

// Ends @browser, by force when it does not come to it.
async function end(browser) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, END_MS, true)));
  if (await Promise.race([browser.close(), late])) {
    console.log(`      (${browser.kind} did not end, and is killed)`);
    try {
      process.kill(browser.pid, 'SIGKILL');
    } catch { /* it is gone, and its driver has not noticed */ }
  }
  clearTimeout(timer);
}

class Page {
  constructor(browser, { native, end }) {
    this.kind = browser.kind;
    this.native = native;
    this.end = end;
    this.log = [];
    native.setDefaultTimeout(ACTION_MS);
    native.on('console', (m) => this.log.push(`${m.type()} ${m.text()}`));
    native.on('pageerror', (e) => this.log.push(`pageerror ${e?.stack ?? e}`));
  }

  goto(url) {
    return this.native.goto(url);
  }

  evaluate(fn, arg) {
    return this.native.evaluate(fn, arg);
  }

  click(selector) {
    return this.native.locator(selector).click();
  }

  fill(selector, text) {
    return this.native.locator(selector).fill(text);
  }

  // Firefox, unlike Chromium, tells a tab behind that it is not seen.
  front() {
    return this.native.bringToFront();
  }

  screenshot(file) {
    return this.native.screenshot({ path: file });
  }

  // Until fn(arg) in the page is true; its last answer otherwise in the error.
  async waitFor(fn, arg, seconds = 30) {
    const end = Date.now() + seconds * 1000;
    let last;
    do {
      last = await this.evaluate(fn, arg);
      if (last) return last;
      await sleep(100);
    } while (Date.now() < end);
    throw new Error(`not within ${seconds} s: ${fn}`);
  }

  async close() {
    if (this.closed) return;
    this.closed = true;
    await this.end();
  }
}

// One browser of each kind, started when it is asked for, for tests that follow one another.
export class Browsers {
  #running = new Map();

  // A page in the browser of that kind, or in the given one. One that has crashed fails the test that
  // it crashed in, not all that follow.
  async page(which) {
    let browser = which;
    if (typeof which === 'string') {
      browser = this.#running.get(which);
      if (browser && !browser.isAlive()) {
        console.log(`      (${which} has crashed, and is started again)`);
        await end(browser);
        browser = undefined;
      }
      if (!browser) this.#running.set(which, (browser = await launch(which)));
    }
    return new Page(browser, await browser.newPage());
  }

  async close() {
    for (const browser of this.#running.values()) await end(browser);
    this.#running.clear();
  }
}
