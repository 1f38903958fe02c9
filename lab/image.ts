import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeRepository } from './apt-repo';
import { cached, keyOf } from './cache';
import { debianSources } from './image/apt-sources';
import { needPackages } from './packages';
import { timed } from './progress';
import { run } from './run';
import { shellQuote } from './shell-quote';
import { tarFile } from './tar';

/** The one image that all machines of the lab start from. */
export interface Image {
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
  /** Directory of the package repository that serves keepalived. */
  readonly aptRepository: string;
}

const PACKAGES = [
  ...['linux-image-cloud-amd64', 'busybox-static', 'cpio', 'systemd-sysv', 'udev', 'dbus', 'kmod', 'ifupdown'],
  ...['openssh-server', 'sudo', 'ca-certificates', 'less', 'procps', 'tzdata', 'curl', 'iproute2', 'iputils-ping', 'iputils-arping'],
  ...['nfs-common', 'nfs-kernel-server', 'rpcbind', 'nginx-light', 'clickhouse-server', 'clickhouse-client', 'netcat-openbsd'],
];
const DISK_SIZE = '3G';

const script = (name: string): string => fs.readFileSync(path.join(__dirname, 'image', name), 'utf8');

/** The image, from the cache or built: about two minutes. */
export async function image(): Promise<Image> {
  const key = keyOf(PACKAGES.join(' '), DISK_SIZE, script('customize.sh'), script('init.sh'), script('build-disk.sh'));
  const dir = await cached('image', key, build);
  return {
    disk: path.join(dir, 'disk.raw'),
    kernel: path.join(dir, 'lab-out', 'vmlinuz'),
    initrd: path.join(dir, 'lab-out', 'initrd'),
    aptRepository: path.join(dir, 'lab-out', 'apt'),
  };
}

async function build(dir: string): Promise<void> {
  await needPackages(['mmdebstrap', 'e2fsprogs', 'debian-archive-keyring', ...(isRoot() ? [] : ['uidmap'])]);
  const rootTar = path.join(dir, 'root.tar');
  await timed('image: Debian packages', () => bootstrap(dir, rootTar));
  await timed('image: disk', () => makeDisk(rootTar, path.join(dir, 'disk.raw')));
  await run('tar', ['--extract', '--no-same-owner', `--file=${rootTar}`, `--directory=${dir}`, './lab-out']);
  await writeRepository(path.join(dir, 'lab-out', 'apt'));
  fs.rmSync(rootTar);
}

async function bootstrap(dir: string, rootTar: string): Promise<void> {
  const hookFiles = path.join(dir, 'files.tar');
  fs.writeFileSync(hookFiles, tarFile([{ path: '/lab-init', type: 'file', mode: 0o755, content: Buffer.from(script('init.sh')) }]));
  const options = [
    '--variant=apt',
    `--include=${PACKAGES.join(',')}`,
    ...['doc', 'man', 'locale', 'info'].map((part) => `--dpkgopt=path-exclude=/usr/share/${part}/*`),
    `--customize-hook=tar-in ${hookFiles} /`,
    // As text, not as a file: without root the tree's owner may not be able to read the project's directory.
    `--customize-hook=chroot "$1" /bin/bash -c ${shellQuote(script('customize.sh'))}`,
  ];
  await run('mmdebstrap', [...options, 'bookworm', rootTar, '-'], { input: debianSources(), timeout: 1_800_000 });
  fs.rmSync(hookFiles);
}

async function makeDisk(rootTar: string, disk: string): Promise<void> {
  const asTreeOwner = isRoot() ? '' : 'mmdebstrap --unshare-helper ';
  // Holes instead of zeros: a disk of 3 GiB that takes 0.6.
  const pipe = `set -o pipefail; ${asTreeOwner}bash -c "$1" build-disk ${DISK_SIZE} <"$2" | dd conv=sparse bs=1M of="$3" status=none`;
  await run('bash', ['-c', pipe, 'disk', script('build-disk.sh'), rootTar, disk]);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
