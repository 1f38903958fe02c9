import * as fs from 'node:fs';
import { progress } from './progress';
import { run } from './run';

/** Debian packages of this machine, installed only where missing: the one thing for which the lab needs root. */
export async function needPackages(packages: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of packages) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return;
  if (!fs.existsSync('/usr/bin/apt-get')) {
    throw new Error(`missing here: ${missing.join(', ')}, and there is no apt-get; install the programs that these Debian packages bring`);
  }
  progress(`installing ${missing.join(', ')}`);
  await apt('update');
  await apt('install', '--yes', '--no-install-recommends', ...missing);
}

async function isInstalled(name: string): Promise<boolean> {
  const { stdout } = await run('dpkg-query', ['--show', '--showformat=${db:Status-Status}', name], { accept: 'any' });
  return stdout === 'installed';
}

async function apt(...args: readonly string[]): Promise<void> {
  const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '--quiet', '--quiet', '-o', 'DPkg::Lock::Timeout=300', ...args];
  const asRoot = process.getuid?.() === 0 ? command : ['sudo', ...command];
  await run(asRoot[0], asRoot.slice(1), { timeout: 900_000 });
}
