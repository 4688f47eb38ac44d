// What one test uses, and how it is put away: pages first, then the server, which must exit with 0
// and without a word from a sanitizer.

import fs from 'node:fs';
import path from 'node:path';
import { launch } from './browsers.mjs';
import { Server } from './server.mjs';
import { Web } from './web.mjs';
import { buildDir } from './paths.mjs';

export class Context {
  constructor({ name, browser, ice }, browsers) {
    this.browsers = browsers;
    this.name = name;
    this.browser = browser;
    this.ice = ice;
    this.notes = [];
    this.pages = [];
    this.servers = 0;
    this.closers = []; // run in reverse order
    this.dir = path.join(buildDir, 'e2e', name.replace(/[^A-Za-z0-9=]+/g, '-'));
    fs.rmSync(this.dir, { recursive: true, force: true });
    fs.mkdirSync(this.dir, { recursive: true });
  }

  // A line below the result.
  note(text) {
    this.notes.push(text);
  }

  onClose(fn) {
    this.closers.push(fn);
  }

  // Starts sluice; @conf is { group: { key: value } } over the fixture's own. @far: see lib/link.mjs.
  async server(conf = {}, files = {}, far = false) {
    const media = this.ice ? { ice: this.ice, ...conf.media } : conf.media;
    const dir = path.join(this.dir, `server${++this.servers}`);
    const server = new Server(dir, { ...conf, media }, files, far);
    await server.start();
    this.onClose(() => server.stop());
    return server;
  }

  // The web server of the test pages (www/, and the npm packages as they are).
  async web() {
    if (!this.webServer) {
      this.webServer = new Web();
      await this.webServer.start();
      this.onClose(() => this.webServer.stop());
    }
    return this.webServer;
  }

  // A page of the browser of that @kind, or of one of its own (an answer of launch()).
  async page(kind, url) {
    const page = await this.browsers.page(kind ?? this.browser ?? 'chromium');
    this.pages.push(page);
    this.onClose(() => page.close());
    if (url) await page.goto(url);
    return page;
  }

  // A page with www/client.js, see there; `T` in page.evaluate().
  async client(kind) {
    const web = await this.web();
    return this.page(kind, `${web.url}/client.html`);
  }

  // Such a page at the far end of the link.
  async farClient() {
    const web = await this.web();
    return this.page('far', `${web.urlFromFar}/client.html`);
  }

  async ownBrowser(kind) {
    const browser = await launch(kind);
    this.onClose(() => browser.close());
    return browser;
  }

  // After a failure: what the pages looked like and said.
  async evidence() {
    let n = 0;
    for (const page of this.pages) {
      n++;
      fs.writeFileSync(path.join(this.dir, `page${n}.log`), page.log.join('\n'));
      await page.screenshot(path.join(this.dir, `page${n}.png`)).catch(() => {});
    }
    this.note(`see ${path.relative(process.cwd(), this.dir)}`);
  }

  async close() {
    const errors = [];
    for (const fn of this.closers.reverse()) {
      try {
        await fn();
      } catch (e) {
        errors.push(e);
      }
    }
    if (errors.length) throw errors[0];
  }
}
