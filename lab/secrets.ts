import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Lab } from './lab';
import { NODES } from './machines';
import { needPackages } from './packages';
import { run } from './run';

/** Where the password may be on a node, and nowhere else; after a deploy that has failed also where it waits for the next one. */
const ALLOWED = /^\/etc\/keepalived\/keepalived\.conf$/;
const WAITING = /^\/var\/lib\/nim-ha\/staged\//;

const CONF = '/etc/keepalived/keepalived.conf';
const LOOKED = 'looked';

/**
 * What a search on a node says: a line for each place, and one more when there were patterns and a grep to look with.
 *
 * @param conf the node's keepalived.conf, empty where there is none: what it has of the secrets the search must have found
 */
export function judgeSearch(output: string, conf: string, secrets: readonly string[], failed = false): string[] {
  const lines = output.split('\n').filter(Boolean);
  if (!lines.includes(LOOKED)) return ['nobody has looked'];
  const places = lines.filter((line) => line !== LOOKED);
  const missed = secrets.some((secret) => conf.includes(secret)) && !places.includes(CONF);
  return [...(missed ? [`a search that does not find what is in ${CONF}`] : []), ...places.filter((place) => !ALLOWED.test(place) && !(failed && WAITING.test(place)))];
}

/** A secret as it is, within JSON, and within whatever was base64-encoded with it. */
export function formsOf(secret: string): string[] {
  return [...new Set([secret, JSON.stringify(secret).slice(1, -1), ...[0, 1, 2].map((offset) => inBase64(secret, offset))])];
}

/** The part that does not depend on what stands beside it, so many bytes past a multiple of three: six bits a character. */
function inBase64(secret: string, offset: number): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
  return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
}

/** The same of the operator's private key: of a line that no other key has. */
export function formsOfKey(lab: Pick<Lab, 'config'>): string[] {
  return formsOf(fs.readFileSync(lab.config().privateKeyFile, 'utf8').split('\n')[3]);
}

/**
 * Files in which a secret is found, on this side (state, backup, plan, synthesised stacks, logs of the deploy) and on the nodes
 * (everything that a deploy could have written, the journal, and every process's arguments and environment).
 *
 * @param directory the operator's: config, state and synthesised stacks
 * @param logs everything that the commands have printed
 * @param failed whether the last deploy has failed
 */
export async function findSecrets(lab: Lab, directory: string, logs: string, secrets: readonly string[], failed = false): Promise<string[]> {
  const found: string[] = [];
  const unpacked = await unpackPlans(directory);
  const patterns = `${secrets.join('\n')}\n`;
  // The patterns come by standard input, or they would find themselves in a list of processes.
  const here = await run('grep', ['-rlF', '-f', '-', directory, unpacked], { input: patterns, accept: [0, 1] });
  found.push(...here.stdout.split('\n').filter(Boolean));
  if (secrets.some((secret) => logs.includes(secret))) found.push('the log of a command');
  const places = 'grep -rlF --devices=skip -f "$p" /etc /root /home /tmp /var/tmp /var/lib/nim-ha /run/nim-ha /usr/local /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null';
  const journal = 'journalctl --no-pager --boot | grep -qF -f "$p" && echo "the journal"';
  const command = `sudo bash -c 'p=$(mktemp -p /dev/shm); trap "rm -f $p" EXIT; cat >"$p"; ${places}; ${journal}; ! grep -qF -f "$p" "$p" || echo ${LOOKED}'`;
  for (const name of NODES) {
    const there = await lab.machine(name).ssh(command, { input: patterns, timeout: 300_000 });
    const conf = await lab.machine(name).ssh(`sudo cat ${CONF} 2>/dev/null; true`);
    found.push(...judgeSearch(there.stdout, conf.stdout, secrets, failed).map((line) => `${name}: ${line}`));
  }
  fs.rmSync(unpacked, { recursive: true });
  return found;
}

/** A plan file is a compressed archive: what is in it shows only unpacked. */
async function unpackPlans(directory: string): Promise<string> {
  const target = fs.mkdtempSync(path.join(os.tmpdir(), 'nim-ha-plans-'));
  const plans = fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => path.basename(name) === 'plan');
  if (plans.length > 0) await needPackages(['unzip']);
  for (const [index, plan] of plans.entries()) await run('unzip', ['-q', path.join(directory, plan), '-d', path.join(target, String(index))]);
  return target;
}
