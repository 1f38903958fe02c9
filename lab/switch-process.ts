/**
 * The process that is the LAN: `ts-node switch-process.ts WORKDIR [--keep]`. One Unix socket per port, one for
 * commands (a line of JSON each way), and the probe, which has to live here: its clock must not stop while the process
 * that asks it is busy. It is also the watchdog: its standard input is a pipe from the lab's owner, and when that closes
 * without `--keep` the lab goes down with it.
 */
import { createServer, Server, Socket } from 'node:net';
import * as os from 'node:os';
import { parseEthernet, ipProtocol } from './frames';
import { MACHINES, PROBE_ADDRESS, PROBE_MAC, VIRTUAL_IP } from './machines';
import { Probe } from './probe';
import { destroyLab } from './state';
import { Switch, plug } from './switch';
import type { SwitchCommand } from './switch-client';
import { controlSocket, portSocket } from './workdir';

const workdir = process.argv[2];
const keep = process.argv.includes('--keep');
const PROBE_PORT = 'probe';

const lan = new Switch();
const probe = new Probe({ virtualIps: [VIRTUAL_IP], mac: PROBE_MAC, ip: PROBE_ADDRESS, send: (frame) => lan.receive(PROBE_PORT, frame) });

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => server.once('error', reject).listen(path, resolve));
}

async function openPorts(): Promise<void> {
  lan.addPort(PROBE_PORT);
  // A tap sees what reaches anybody: two masters that cannot hear each other are both heard here, one that is cut off from all is not.
  lan.tap((port, frame) => {
    if (port !== PROBE_PORT) probe.observe(frame);
  });
  lan.attach(PROBE_PORT, () => undefined);
  for (const { name } of MACHINES) {
    lan.addPort(name);
    await listen(createServer((stream) => plug(lan, name, stream)), portSocket(workdir, name));
  }
}

function execute(command: SwitchCommand): unknown {
  switch (command.do) {
    case 'link':
      lan.setLink(command.port, command.up);
      return lan.links();
    case 'links':
      return lan.links();
    case 'drops':
      return lan.setDrops(command.rules) ?? null;
    case 'probe':
      if (command.on) probe.start();
      else probe.stop();
      return null;
    case 'addresses':
      return probe.setAddresses(command.virtualIps) ?? null;
    case 'holders':
      return probe.holders(command.sinceMs);
    case 'outages':
      return probe.outages(command.since);
    case 'overlaps':
      return probe.overlaps(command.since);
    case 'timeline':
      return probe.timeline(command.since);
    default:
      throw new Error(`switch: unknown command '${(command as { do: string }).do}'`);
  }
}

/** One line per frame, for somebody who wants to look. */
function observe(client: Socket): void {
  const stop = lan.tap((port, frame) => {
    const header = parseEthernet(frame);
    client.write(`${JSON.stringify({ at: Date.now(), port, ...header, protocol: ipProtocol(frame), bytes: frame.length })}\n`);
  });
  client.on('close', stop);
}

function serve(client: Socket): void {
  let pending = '';
  client.on('error', () => undefined);
  client.on('data', (chunk) => {
    const lines = (pending + chunk.toString()).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) answer(client, line);
  });
}

function answer(client: Socket, line: string): void {
  try {
    const command = JSON.parse(line) as SwitchCommand | { do: 'observe' };
    if (command.do === 'observe') observe(client);
    else client.write(`${JSON.stringify({ ok: execute(command) })}\n`);
  } catch (error) {
    client.write(`${JSON.stringify({ error: (error as Error).message })}\n`);
  }
}

function watchOwner(): void {
  if (keep) return;
  process.stdin.resume();
  process.stdin.on('end', () => {
    destroyLab(workdir, process.pid);
    process.exit(0);
  });
}

async function main(): Promise<void> {
  // A terminal's Ctrl-C reaches the whole process group; the owner decides, not the wire.
  process.on('SIGINT', () => undefined);
  try {
    os.setPriority(-5);
  } catch {
    // Without the privilege the wire is only a little slower under load.
  }
  await openPorts();
  await listen(createServer(serve), controlSocket(workdir));
  watchOwner();
}

main().catch((error) => {
  process.stderr.write(`switch: ${(error as Error).message}\n`);
  process.exit(1);
});
