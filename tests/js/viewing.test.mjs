/* What the server is told of the sizes that videos are shown in. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Viewing } from '../../html/lib/viewing.js';

/** Observers as browsers have them, called by hand. */
class FakeObserver {
    static made = [];
    observed = new Set();

    constructor(fn) {
        this.fn = fn;
        FakeObserver.made.push(this);
    }

    observe(element) {
        this.observed.add(element);
    }

    unobserve(element) {
        this.observed.delete(element);
    }

    disconnect() {
        this.observed.clear();
    }
}

let requests;
let viewing;
let listener;

const element = (width, height) => ({ width, height, contains: () => false,
    getBoundingClientRect() {
        return { width: this.width, height: this.height };
    } });
const resized = () => FakeObserver.made[0].fn([]);
const seen = (target, isIntersecting) => FakeObserver.made[1].fn([{ target, isIntersecting }]);
const told = () => requests.splice(0);
const turn = (hidden) => {
    document.hidden = hidden;
    listener();
};

beforeEach(() => {
    mock.timers.enable(['setTimeout']);
    FakeObserver.made = [];
    globalThis.ResizeObserver = globalThis.IntersectionObserver = FakeObserver;
    globalThis.window = { devicePixelRatio: 2 };
    globalThis.document = { hidden: false, pictureInPictureElement: null,
        addEventListener: (_, fn) => { listener = fn; }, removeEventListener: () => { listener = null; } };
    requests = [];
    viewing = new Viewing(async (streams) => requests.push(streams));
});

afterEach(() => {
    viewing.close();
    mock.timers.reset();
    delete globalThis.window;
    delete globalThis.document;
});

test('sizes are in pixels of the screen, go together, and only when they changed', () => {
    const small = element(160, 90);

    viewing.watch({ mid: '1' }, small, 0);
    viewing.watch({ mid: '3' }, element(640, 360), 5);
    mock.timers.tick(1);
    assert.deepEqual(told(), [[{ mid: '1', width: 320, height: 180, priority: 0 },
        { mid: '3', width: 1280, height: 720, priority: 5 }]]);
    resized();
    mock.timers.tick(1000);
    assert.deepEqual(told(), []);
    small.width = 320;
    resized();
    mock.timers.tick(100);
    resized(); /* it is being dragged */
    mock.timers.tick(50);
    assert.deepEqual(told(), []);
    mock.timers.tick(50);
    assert.deepEqual(told(), [[{ mid: '1', width: 640, height: 180, priority: 0 }]]);
});

test('what is out of sight is hidden after a second, and back at once', () => {
    const e = element(160, 90);

    viewing.watch({ mid: '1' }, e, 0);
    mock.timers.tick(1);
    told();
    seen(e, false);
    mock.timers.tick(900);
    seen(e, true);
    mock.timers.tick(1000);
    assert.deepEqual(told(), [], 'gone for a moment');
    seen(e, false);
    mock.timers.tick(1000);
    assert.deepEqual(told(), [[{ mid: '1', width: 0, height: 0, priority: 0 }]]);
    seen(e, true);
    mock.timers.tick(1);
    assert.equal(told()[0][0].width, 320);
    turn(true);
    mock.timers.tick(1000);
    assert.equal(told()[0][0].width, 0);
    document.pictureInPictureElement = {};
    e.contains = (other) => other === document.pictureInPictureElement;
    turn(true);
    mock.timers.tick(1000);
    assert.equal(told()[0][0].width, 1280, 'a window of its own');
});

test('a line that ends is said nothing about; one that is let go may be as large as it likes', () => {
    const e = element(160, 90);
    const line = { mid: '1' };
    const end = viewing.watch(line, e, 3);

    mock.timers.tick(1);
    told();
    end();
    assert.deepEqual(told(), [[{ mid: '1', width: 16384, height: 16384, priority: 3 }]]);
    assert.equal(FakeObserver.made[0].observed.size, 0);
    viewing.watch(line, e, 0);
    viewing.remove(line);
    end();
    mock.timers.tick(1000);
    assert.deepEqual(told(), []);
    viewing.close();
    assert.equal(listener, null);
});
