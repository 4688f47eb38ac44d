// Notes which methods of a package's objects a test called and which of its events came, so that
// the test fails for what it forgot, and for what a new version of the package adds. Runs in Node and
// in pages.

export class Coverage {
  constructor() {
    this.called = new Set();
    this.came = new Set();
  }

  // @object as it is, but its calls are noted; and so are its @events, when it is an emitter.
  watch(object, events = []) {
    for (const event of events) object.on(event, () => this.came.add(event));
    return new Proxy(object, {
      get: (target, name) => {
        const value = target[name];
        if (typeof value !== 'function') return value;
        return (...args) => {
          this.called.add(name);
          return value.apply(target, args);
        };
      },
    });
  }

  // All @names were called, but for those of @except: { name: why }, which were not.
  assertCalled(names, except) {
    assertAll('not called', names, this.called, except);
  }

  assertCame(events, except) {
    assertAll('did not come', events, this.came, except);
  }
}

export function assertAll(what, wanted, had, except = {}) {
  const missing = wanted.filter((name) => !had.has(name) && !(name in except));
  const needless = Object.keys(except).filter((name) => had.has(name) || !wanted.includes(name));
  if (missing.length) throw new Error(`${what}: ${missing.join(', ')}`);
  if (needless.length) throw new Error(`exceptions that are none: ${needless.join(', ')}`);
}

// What @prototype itself offers, without its constructor and what is private by its name.
export const methodsOf = (prototype) =>
  Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor' && !name.startsWith('_'));
