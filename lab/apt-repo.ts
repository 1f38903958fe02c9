import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { run } from './run';

/** Makes a directory of .deb files a flat package repository: `deb [trusted=yes] http://HOST/apt ./`. */
export async function writeRepository(dir: string): Promise<void> {
  const stanzas: string[] = [];
  for (const name of fs.readdirSync(dir).filter((file) => file.endsWith('.deb')).sort()) {
    // apt names an epoch's colon %3a in file names, and would look for %253a over HTTP.
    const plain = name.replace(/%3a/g, '.');
    fs.renameSync(path.join(dir, name), path.join(dir, plain));
    stanzas.push(await stanza(dir, plain));
  }
  const packages = Buffer.from(stanzas.join('\n'));
  fs.writeFileSync(path.join(dir, 'Packages'), packages);
  const release = ['Origin: lab', 'Suite: lab', 'Architectures: amd64', `Date: ${new Date().toUTCString()}`, 'SHA256:'];
  fs.writeFileSync(path.join(dir, 'Release'), [...release, ` ${sha256(packages)} ${packages.length} Packages`, ''].join('\n'));
}

async function stanza(dir: string, name: string): Promise<string> {
  const file = path.join(dir, name);
  const content = fs.readFileSync(file);
  const { stdout } = await run('dpkg-deb', ['--field', file]);
  return `${stdout.trimEnd()}\nFilename: ./${name}\nSize: ${content.length}\nSHA256: ${sha256(content)}\n`;
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
