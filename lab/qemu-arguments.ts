import type { Accel } from './accel';
import type { Image } from './image';
import { Machine, SSH_PORT } from './machines';
import type { SwitchClient } from './switch-client';
import * as files from './workdir';

const KERNEL_OPTIONS = 'console=ttyS0 loglevel=4 audit=0 mitigations=off random.trust_cpu=on rcupdate.rcu_expedited=1 8250.nr_uarts=1';

/** What all machines of a lab have in common. */
export interface VmContext {
  readonly workdir: string;
  readonly image: Pick<Image, 'disk' | 'kernel' | 'initrd'>;
  readonly accel: Accel;
  readonly lan: SwitchClient;
}

/** The machine's hardware. The slots of the network cards are known to guest/all/etc/systemd/network. */
export function qemuArguments(machine: Machine, context: VmContext): string[] {
  const { workdir, image, accel } = context;
  const { name, lanMac, sshAddress, memoryMiB } = machine;
  return [
    ...['-name', name, '-machine', 'pc', '-nodefaults', '-no-user-config', '-display', 'none', '-smp', '1', '-m', String(memoryMiB)],
    // Without five-level page tables, which cost an emulated processor a memory access on every walk.
    ...(accel === 'kvm' ? ['-accel', 'kvm', '-cpu', 'host'] : ['-accel', 'tcg,thread=multi', '-cpu', 'max,la57=off']),
    ...['-kernel', image.kernel, '-initrd', image.initrd, '-append', KERNEL_OPTIONS],
    ...['-chardev', `file,id=console,path=${files.consoleLog(workdir, name)},append=on`, '-serial', 'chardev:console'],
    ...['-qmp', `unix:${files.qmpSocket(workdir, name)},server=on,wait=off`],
    ...['-drive', `file=${files.overlay(workdir, name)},format=qcow2,if=none,id=disk`, '-device', 'virtio-blk-pci,drive=disk,addr=3'],
    ...['-drive', `file=${files.seedFile(workdir, name)},format=raw,readonly=on,if=none,id=seed`, '-device', 'virtio-blk-pci,drive=seed,addr=4'],
    ...['-netdev', `stream,id=lan,server=off,addr.type=unix,addr.path=${files.portSocket(workdir, name)}`],
    ...['-device', `virtio-net-pci,netdev=lan,mac=${lanMac},addr=5,romfile=`],
    ...['-netdev', `user,id=mgmt,restrict=on,ipv6=off,hostfwd=tcp:${sshAddress}:${SSH_PORT}-:22`],
    ...['-device', 'virtio-net-pci,netdev=mgmt,addr=6,romfile='],
  ];
}
