// Where things are. SLUICE_BUILD names the build tree under test, else build/gcc or build/.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const e2eDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const topDir = path.resolve(e2eDir, '../..');

function findBuild() {
  if (process.env.SLUICE_BUILD) return path.resolve(process.env.SLUICE_BUILD);
  for (const dir of ['build', 'build/gcc']) {
    const full = path.join(topDir, dir);
    if (fs.existsSync(path.join(full, 'sluice'))) return full;
  }
  throw new Error('no build tree with a program sluice: build first, or set SLUICE_BUILD');
}

export const buildDir = findBuild();
