// Data channels through EchoTest, while video flows: text behind the prefix, binary as it was sent.

import assert from 'node:assert/strict';
import { test } from '../lib/runner.mjs';

const CF = [['chromium', 'lite'], ['firefox', 'lite'], ['chromium', 'full'], ['firefox', 'full']];
const PREFIX = 'Janus EchoTest here! You wrote: ';

// Opens channels in the page and remembers what comes back on each: D.
async function channels(page) {
  await page.evaluate(() => {
    const all = new Map(); // name -> { channel, got: [string | ArrayBuffer] }
    const until = async (what, fn, ms = 30000) => {
      const end = performance.now() + ms;
      while (!fn()) {
        if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
        await T.sleep(5);
      }
    };
    window.D = {
      all,
      until,
      async open(name, label, options) {
        const channel = T.pc('echo').createDataChannel(label, options);
        const entry = { channel, got: [] };
        channel.binaryType = 'arraybuffer';
        channel.onmessage = (m) => entry.got.push(m.data);
        all.set(name, entry);
        await until(`channel ${name} open`, () => channel.readyState === 'open');
      },
      // Sends and gives the answer.
      async ask(name, data) {
        const { channel, got } = all.get(name);
        const n = got.length;
        channel.send(data);
        await until(`an answer on ${name}`, () => got.length > n);
        return got[n];
      },
      bytes(n) {
        const b = new Uint8Array(n);
        for (let i = 0; i < n; i += 65536) crypto.getRandomValues(b.subarray(i, Math.min(n, i + 65536)));
        return b;
      },
      async hash(parts) {
        const digest = await crypto.subtle.digest('SHA-256', await new Blob(parts).arrayBuffer());
        return [...new Uint8Array(digest)].map((x) => x.toString(16).padStart(2, '0')).join('');
      },
    };
  });
}

async function start(t, options = {}) {
  const server = await t.server();
  const page = await t.client();
  await page.evaluate((url) => T.connect(url), server.ws);
  await page.evaluate((o) => T.echo('echo', { data: true, ...o }), options);
  await channels(page);
  return page;
}

test('data: text, binary and large messages come back', { variants: CF, tags: ['asan'] }, async (t) => {
  const page = await start(t);
  await page.evaluate(() => T.seesMotion('echo', '1'));

  // The channel of janus.js itself.
  await page.evaluate(() => D.until('janus.js: data open', () => T.state('echo').dataOpen));
  await page.evaluate(() => T.say('echo', 'hello'));
  await page.evaluate(() => D.until('janus.js: an answer', () => T.state('echo').data.length));
  assert.deepEqual((await page.evaluate(() => T.state('echo'))).data, [`${PREFIX}hello`]);

  await page.evaluate(() => D.open('a', 'chat', { protocol: 'p' }));
  assert.equal(await page.evaluate(() => D.ask('a', 'grüße ✓')), `${PREFIX}grüße ✓`);
  assert.equal(await page.evaluate(() => D.ask('a', '')), PREFIX);
  const same = (n) => page.evaluate(async (size) => {
    const sent = D.bytes(size);
    const got = await D.ask('a', sent);
    return got.byteLength === size && (await D.hash([sent])) === (await D.hash([got]));
  }, n);
  for (const n of [0, 1, 1163, 65536, 200000, 262144]) assert.ok(await same(n), `${n} bytes`);
  const max = await page.evaluate(() => T.pc('echo').sctp?.maxMessageSize);
  assert.equal(max, 262144);
});

test('data: every kind of channel', { variants: [['chromium', 'lite'], ['firefox', 'lite']] }, async (t) => {
  const page = await start(t, { video: null });
  const kinds = {
    ordered: {},
    unordered: { ordered: false },
    rexmit: { ordered: false, maxRetransmits: 2 },
    timed: { maxPacketLifeTime: 3000 },
  };
  for (const [name, options] of Object.entries(kinds)) {
    await page.evaluate(([n, o]) => D.open(n, n, o), [name, options]);
    assert.equal(await page.evaluate((n) => D.ask(n, n), name), PREFIX + name);
  }

  // Agreed on by the page alone: nothing tells the server a name, the answer comes on the same stream.
  await page.evaluate(() => D.open('agreed', 'ours', { negotiated: true, id: 77 }));
  assert.equal(await page.evaluate(() => D.ask('agreed', 'x')), `${PREFIX}x`);
  await page.evaluate(() => D.open('also', 'theirs', { negotiated: true, id: 78 }));
  for (const name of ['also', 'agreed', 'also'])
    assert.equal(await page.evaluate((n) => D.ask(n, n), name), PREFIX + name);

  // Many at once, each gets its own answers.
  await page.evaluate(() => Promise.all([...Array(100).keys()].map((i) => D.open(`n${i}`, `label ${i}`))));
  const answers = await page.evaluate(() =>
    Promise.all([...Array(100).keys()].map((i) => D.ask(`n${i}`, `text ${i}`))));
  assert.deepEqual(answers, [...Array(100).keys()].map((i) => `${PREFIX}text ${i}`));

  // A channel that is closed is closed on both sides, and its label may be used again.
  await page.evaluate(async () => {
    const { channel } = D.all.get('ordered');
    channel.close();
    await D.until('closed', () => channel.readyState === 'closed');
    await D.open('ordered', 'ordered');
  });
  assert.equal(await page.evaluate(() => D.ask('ordered', 'again')), `${PREFIX}again`);
});

// The echo of all bytes, in the order of the messages, with video beside it.
async function transfer(t, total) {
  const page = await start(t);
  await page.evaluate(() => T.seesMotion('echo', '1'));
  await page.evaluate(() => D.open('bulk', 'bulk'));
  const before = (await page.evaluate(() => T.received('echo')))['1'];
  const result = await page.evaluate(async (size) => {
    const { channel, got } = D.all.get('bulk');
    const chunks = [];
    const t0 = performance.now();
    channel.bufferedAmountLowThreshold = 256 * 1024;
    for (let sent = 0; sent < size; sent += 65536) {
      const chunk = D.bytes(Math.min(65536, size - sent));
      chunks.push(chunk);
      channel.send(chunk);
      if (channel.bufferedAmount > 1024 * 1024)
        await new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }));
    }
    await D.until('all answers', () => got.length === chunks.length, 240000);
    return { ms: performance.now() - t0, equal: (await D.hash(chunks)) === (await D.hash(got)) };
  }, total);
  assert.ok(result.equal, 'all bytes came back');
  const after = (await page.evaluate(() => T.received('echo')))['1'];
  const fps = ((after.frames - before.frames) * 1000) / result.ms;
  t.note(`${((total * 8) / result.ms / 1000).toFixed(1)} Mbit/s each way, ${fps.toFixed(1)} frames/s beside it, ` +
    `${after.freezes - before.freezes} freezes`);
  assert.ok(after.frames > before.frames, 'video went on');
  await page.evaluate(() => T.seesMotion('echo', '1'));
}

test('data: 5 MB come back while video flows',
  { variants: [['chromium', 'lite'], ['firefox', 'lite']], tags: ['asan'] },
  (t) => transfer(t, 5 * 1024 * 1024));

test('data: 50 MB come back while video flows', { variants: [['chromium', 'lite']], tags: ['long'], timeout: 280 },
  (t) => transfer(t, 50 * 1024 * 1024));

test('data only, without audio and video', { variants: CF, tags: ['asan'] }, async (t) => {
  const page = await start(t, { audio: false, video: null });
  await page.evaluate(() => D.open('a', 'a'));
  assert.equal(await page.evaluate(() => D.ask('a', 'x')), `${PREFIX}x`);
  // Video may follow.
  await page.evaluate(() => T.renegotiate('echo', {
    tracks: [{ type: 'video', video: { colour: [0, 128, 0] }, add: true, recv: true }],
    message: { video: true },
  }));
  await page.evaluate(() => T.seesMotion('echo', '1'));
  assert.equal(await page.evaluate(() => D.ask('a', 'y')), `${PREFIX}y`);
});

test('data may follow audio and video', { variants: [['chromium', 'lite'], ['firefox', 'lite']] }, async (t) => {
  const page = await start(t, { data: false });
  await page.evaluate(() => T.seesMotion('echo', '1'));
  await page.evaluate(() => T.renegotiate('echo', { tracks: [{ type: 'data' }], message: { video: true } }));
  await page.evaluate(() => D.open('a', 'a'));
  assert.equal(await page.evaluate(() => D.ask('a', 'x')), `${PREFIX}x`);
});
