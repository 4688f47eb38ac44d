// Installs the tree under test somewhere else, as authors of plugins find it.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

// What the command printed. options.input is what it reads.
export function run(command, args, { input, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { maxBuffer: 1 << 24, ...options }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${[command, ...args].join(' ')}\n${stdout}${stderr || error}`));
      else resolve(stdout);
    });
    child.stdin.end(input);
  });
}

// The prefix of an installation of @build below @dir, with the environment that finds it: there
// .pc files name the place where it stands, not where it would be copied to.
export async function stage(build, dir) {
  fs.rmSync(dir, { recursive: true, force: true });
  await run('make', ['-s', '-C', build, 'install', `DESTDIR=${dir}`]);
  const prefix = (await run('sed', ['-n', 's/^prefix=//p', path.join(build, 'sluice.pc')])).trim();
  const root = path.join(dir, prefix);
  const pc = path.join(root, 'lib', 'pkgconfig');
  for (const name of fs.readdirSync(pc)) {
    const file = path.join(pc, name);
    const text = fs.readFileSync(file, 'utf8').replace(`prefix=${prefix}\n`, `prefix=${root}\n`);
    fs.writeFileSync(file, text);
  }
  return {
    root,
    env: {
      ...process.env,
      PATH: `${path.join(root, 'bin')}:${process.env.PATH}`,
      PKG_CONFIG_PATH: pc,
      // This is a make of its own, not a child of the one that may run us.
      MAKEFLAGS: '',
      MAKELEVEL: '',
    },
  };
}

// Builds the plugin in the folder @from out of tree, in @to. The path of its shared object.
export async function buildPlugin(staged, from, to, cc = 'gcc') {
  fs.rmSync(to, { recursive: true, force: true });
  fs.cpSync(from, to, { recursive: true });
  await run('make', ['-s', '-C', to, `CC=${cc}`, 'CFLAGS=-O1 -Wall -Wextra -Werror'], { env: staged.env });
  return fs.readdirSync(to).filter((f) => f.endsWith('.so')).map((f) => path.join(to, f))[0];
}
