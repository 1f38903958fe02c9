import { deployFaults } from './deploys';
import type { Fault } from './fault';
import { fencingFaults } from './fencing';
import { keepalivedFaults } from './keepalived';
import { machineFaults } from './machines';
import { networkFaults } from './network';
import { otherShareFaults } from './other-share';
import { serviceFaults } from './services';
import { storageFaults } from './storage';

/** Everything that the lab can do to a pair. */
export const FAULTS: readonly Fault[] = [...keepalivedFaults, ...serviceFaults, ...machineFaults, ...networkFaults, ...storageFaults, ...deployFaults, ...otherShareFaults, ...fencingFaults];

/** One of each kind, for a short run. */
export const SMOKE = ['keepalived-killed', 'killed-nms-core', 'power-cut-active', 'partition-active', 'stopped-clickhouse-server', 'nfs-restarted'];

const isMadeWith = (fencing: 'on' | 'off') => (fault: Fault): boolean => fault.fencing === undefined || (fault.fencing === 'only') === (fencing === 'on');

/** Those that can be made with fencing, or without it. */
export const faultsWith = (fencing: 'on' | 'off'): Fault[] => FAULTS.filter(isMadeWith(fencing));

/** @throws when a name is none: a run of nothing would look like a run without findings */
export function faultsNamed(names: readonly string[], fencing: 'on' | 'off'): Fault[] {
  const wanted = names.flatMap((name) => (name === 'smoke' ? SMOKE : [name]));
  return wanted.map((name) => {
    const fault = FAULTS.find((candidate) => candidate.name === name);
    if (!fault) throw new Error(`--only: no fault '${name}'; there are: smoke, ${FAULTS.map((known) => known.name).join(', ')}`);
    if (!isMadeWith(fencing)(fault)) throw new Error(`--only: the fault '${name}' is made ${fencing === 'on' ? 'without' : 'with'} fencing only`);
    return fault;
  });
}
