// The unmodified janode package, and what its tests share.

import Janode from 'janode';

Janode.Logger.setLevel?.('none');

// A connection that is closed at the end of the test.
export async function connect(t, server) {
  const connection = await Janode.connect({ address: { url: server.ws } });
  t.onClose(() => connection.close().catch(() => {}));
  return connection;
}

// The next @event of @emitter for which @matches is true.
export function next(emitter, event, matches = () => true, ms = 30000) {
  const promise = new Promise((resolve, reject) => {
    const timer = setTimeout(() => done(reject, new Error(`no ${event} within ${ms} ms`)), ms);
    const listener = (data) => matches(data) && done(resolve, data);
    const done = (how, value) => {
      clearTimeout(timer);
      emitter.removeListener(event, listener);
      how(value);
    };
    emitter.on(event, listener);
  });
  promise.catch(() => {}); // a test that fails before it awaits this tells its own reason
  return promise;
}

// Bare connections of @page by name; their packets go through @path.
export class Peers {
  constructor(page, path) {
    this.page = page;
    this.path = path;
  }

  offer(name, options) {
    return this.page.evaluate(([n, o]) => T.bareOffer(n, o), [name, options]);
  }

  async accept(name, jsep) {
    return this.page.evaluate(([n, j]) => T.bareAccept(n, j), [name, await this.path.through(jsep)]);
  }

  async answer(name, jsep) {
    return this.page.evaluate(([n, j]) => T.bareAnswer(n, j), [name, await this.path.through(jsep)]);
  }

  close(name) {
    return this.page.evaluate((n) => T.bareClose(n), name);
  }

  seesMotion(name, mid = '1') {
    return this.page.evaluate(([n, m]) => T.seesMotion(n, m), [name, mid]);
  }
}
