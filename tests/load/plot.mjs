// Draws what bench.mjs printed: bars of one number, a group for each case, as SVG.
//
//   node tests/load/bench.mjs --compare | tee bench.txt
//   node tests/load/plot.mjs bench.txt server_cpu_us_per_packet "CPU per packet, us" >cpu.svg

import fs from 'node:fs';

const SERIES = [
  ['floor', 'bare forwarder (GSO)', '#9aa5b1'],
  ['sluice', 'Sluice', '#1f77b4'],
  ['janus', 'janus, tuned', '#e8a33d'],
  ['janus_default', 'janus, default', '#c0504d'],
];
const WIDTH = 860;
const LEFT = 230;
const BAR = 13;
const GAP = 12;
const TOP = 62;
const SCALE_ROOM = 90; // right of the longest bar, for its number

const escape = (s) => s.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);

function read(file, key) {
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"bench"'))
    .map((line) => JSON.parse(line))
    .map((c) => ({
      name: c.bench,
      bars: SERIES.filter(([id]) => Number.isFinite(c[id]?.[key])).map(([id, , colour]) => ({
        value: c[id][key],
        colour,
      })),
    }))
    .filter((c) => c.bars.length);
}

function text(x, y, s, more = '') {
  return `<text x="${x}" y="${y}" ${more}>${escape(s)}</text>`;
}

function legend() {
  return SERIES.map(
    ([, label, colour], i) =>
      `<rect x="${LEFT + i * 155}" y="34" width="11" height="11" fill="${colour}"/>` +
      text(LEFT + i * 155 + 16, 44, label),
  );
}

function draw(cases, title) {
  const most = Math.max(...cases.flatMap((c) => c.bars.map((b) => b.value)));
  const scale = (WIDTH - LEFT - SCALE_ROOM) / most;
  const out = [];
  let y = TOP;

  for (const c of cases) {
    out.push(text(LEFT - 10, y + (c.bars.length * BAR) / 2 + 4, c.name, 'text-anchor="end"'));
    for (const b of c.bars) {
      const length = Math.max(1, b.value * scale).toFixed(1);

      out.push(
        `<rect x="${LEFT}" y="${y}" width="${length}" height="${BAR - 2}" fill="${b.colour}"/>`,
        text(LEFT + Number(length) + 5, y + BAR - 3, b.value.toFixed(b.value < 10 ? 2 : 1)),
      );
      y += BAR;
    }
    y += GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${y}" fill="#fff"/>`,
    text(LEFT, 20, title, 'font-size="14" font-weight="bold"'),
    ...legend(),
    ...out,
    '</svg>',
  ].join('\n');
}

const [file, key, title = key] = process.argv.slice(2);
const cases = file && key ? read(file, key) : [];
if (!cases.length) {
  console.error(
    file && key ? `${file} has no ${key}` : 'usage: plot.mjs OUTPUT-OF-BENCH KEY [TITLE]',
  );
  process.exit(1);
}
console.log(draw(cases, title));
