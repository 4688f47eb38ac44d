// node tests/e2e/picture.mjs [FILE]   takes the README's picture of the conference page.

import path from 'node:path';
import { Context } from './lib/context.mjs';
import { Browsers } from './lib/browsers.mjs';
import { topDir } from './lib/paths.mjs';

const file = process.argv[2] ?? path.join(topDir, 'docs/images/conference.png');
const PEOPLE = [
  ['Ada', '#d9a679', '#2f4858', '#f3c9a5', '#3b2417'],
  ['Ben', '#7fa99b', '#33505c', '#8d5a3b', '#15100d'],
  ['Chloé', '#c9b6e4', '#5b3a8c', '#f1d3bd', '#8a4b1f'],
  ['Daniel', '#8fb8de', '#1f4e79', '#c98d63', '#26170f'],
];

// In place of the camera: somebody in front of a wall, who nods.
function paintCamera([, wall, shirt, skin, hair]) {
  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
    const tracks = [];
    if (video) {
      const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
      const c = canvas.getContext('2d');
      const ellipse = (x, y, rx, ry, colour) => {
        c.fillStyle = colour;
        c.beginPath();
        c.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
        c.fill();
      };
      setInterval(() => {
        const y = 6 * Math.sin(performance.now() / 400);
        const light = c.createLinearGradient(0, 0, 640, 480);
        light.addColorStop(0, '#ffffff');
        light.addColorStop(0.4, wall);
        light.addColorStop(1, '#333333');
        c.fillStyle = light;
        c.fillRect(0, 0, 640, 480);
        ellipse(320, 500, 190, 165, shirt);
        c.fillStyle = skin;
        c.fillRect(285, 290, 70, 70);
        ellipse(320, 195 + y, 112, 125, hair);
        ellipse(320, 220 + y, 92, 112, skin);
        ellipse(285, 210 + y, 9, 9, '#222222');
        ellipse(355, 210 + y, 9, 9, '#222222');
        ellipse(320, 272 + y, 30, 9, '#9c4a45');
      }, 50);
      tracks.push(...canvas.captureStream(20).getTracks());
    }
    if (audio) tracks.push(...new AudioContext().createMediaStreamDestination().stream.getTracks());
    return new MediaStream(tracks);
  };
}

const browsers = new Browsers();
const t = new Context({ name: 'picture', browser: 'chromium', ice: 'lite' }, browsers);
try {
  const server = await t.server({}, { 'videoroom.conf': '[room 1234]\ndescription = Monday meeting\npublishers = 6\n' });
  const pages = [];
  for (const person of PEOPLE) {
    const page = await t.page('chromium');
    await page.native.addInitScript(paintCamera, person);
    await page.goto(`${server.pages}/conference.html?autojoin=1&name=${encodeURIComponent(person[0])}`);
    await page.waitFor(() => document.querySelector('#state').dataset.state === 'connected', undefined, 20);
    pages.push(page);
  }
  await pages[0].waitFor(
    (n) => [...document.querySelectorAll('.tile video')].filter((v) => v.videoWidth >= 640).length >= n, PEOPLE.length, 30);
  await pages[0].evaluate(() => new Promise((r) => setTimeout(r, 3000)));
  await pages[0].screenshot(file);
  console.log(`made ${file}`);
} finally {
  await t.close();
  await browsers.close();
}
