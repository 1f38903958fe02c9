import { GUIDE_SERVICES } from '../../lib/config/model';
import type { NodeName } from '../machines';
import { NODES } from '../machines';
import { Fault, Scene, afterCheck, asRoot, handover, nothing } from './fault';

const DROP_IN = (service: string): string => `/run/systemd/system/${service}.service.d/lab-fault.conf`;

/** Makes a service behave otherwise the next time it starts. */
async function override({ lab }: Scene, nodes: readonly NodeName[], service: string, text: string): Promise<void> {
  const file = DROP_IN(service);
  for (const node of nodes) await asRoot(lab, node, `mkdir -p ${file.replace(/\/[^/]*$/, '')} && printf "${text}" >${file} && systemctl daemon-reload`);
}

async function withdraw({ lab }: Scene, nodes: readonly NodeName[], service: string): Promise<void> {
  for (const node of nodes) await asRoot(lab, node, `rm -f ${DROP_IN(service)}; systemctl daemon-reload; systemctl reset-failed ${service}`, 'any');
}

const FAILS = '[Service]\\nRestart=no\\nExecStart=\\nExecStart=/bin/false\\n';

export const serviceFaults: readonly Fault[] = [
  ...GUIDE_SERVICES.map(
    (service): Fault => ({
      name: `stopped-${service}`,
      what: `${service} stopped on the active node`,
      inject: async ({ lab, active }) => void (await asRoot(lab, active, `systemctl stop ${service}`)),
      undo: nothing,
      serves: 'standby',
      bound: afterCheck,
    }),
  ),
  ...GUIDE_SERVICES.map(
    (service): Fault => ({
      name: `killed-${service}`,
      what: `${service} killed with SIGKILL on the active node`,
      inject: async ({ lab, active }) => void (await asRoot(lab, active, `systemctl kill --kill-who=all --signal=KILL ${service}`)),
      undo: nothing,
      // Where the unit says Restart= systemd may be quicker than the check.
      serves: 'either',
      lasts: 25,
      bound: afterCheck,
    }),
  ),
  ...GUIDE_SERVICES.map(
    (service): Fault => ({
      name: `fails-to-start-${service}`,
      what: `${service} stopped on the active node, and unable to start there again`,
      inject: async (scene) => {
        await override(scene, [scene.active], service, FAILS);
        await asRoot(scene.lab, scene.active, `systemctl stop ${service}`);
      },
      undo: (scene) => withdraw(scene, [scene.active], service),
      serves: 'standby',
      bound: afterCheck,
    }),
  ),
  ...GUIDE_SERVICES.map(
    (service): Fault => ({
      name: `slow-to-start-${service}`,
      what: `${service} needs 40 s to start on the standby, and keepalived is restarted on the active node`,
      inject: async (scene) => {
        await override(scene, [scene.standby], service, '[Service]\\nExecStartPre=/bin/sleep 40\\n');
        await asRoot(scene.lab, scene.active, 'systemctl restart keepalived');
      },
      undo: (scene) => withdraw(scene, [scene.standby], service),
      serves: 'standby',
      bound: handover,
    }),
  ),
  {
    name: 'service-crash-loop',
    what: 'nms-core dies ten seconds after each start on the active node, and systemd starts it again and again',
    inject: async (scene) => {
      await override(scene, [scene.active], 'nms-core', '[Service]\\nExecStart=\\nExecStart=/bin/bash -c \\"sleep 10; exit 1\\"\\n');
      await asRoot(scene.lab, scene.active, 'systemctl kill --kill-who=all --signal=KILL nms-core', 'any');
    },
    undo: (scene) => withdraw(scene, [scene.active], 'nms-core'),
    serves: 'standby',
    // Until the deadline of a start is over, which goes on while they are not active for a minute at a stretch.
    bound: (timing) => ({ ...afterCheck(timing), writes: 240 + 10 + afterCheck(timing).writes }),
  },
  {
    name: 'service-fails-on-both',
    what: 'nms-core unable to start on either node, and stopped on the active one; mended after 40 s',
    inject: async (scene) => {
      await override(scene, NODES, 'nms-core', FAILS);
      await asRoot(scene.lab, scene.active, 'systemctl stop nms-core');
    },
    undo: (scene) => withdraw(scene, NODES, 'nms-core'),
    // One node after the other tries, until the deadline of a start is over.
    serves: 'either',
    lasts: 40,
    // A node that failed waits out its hold-down, and then starts again.
    bound: ({ holdDown, checkInterval, masterDown, start }) => ({ vip: masterDown, writes: 40 + holdDown + checkInterval + masterDown + start }),
  },
];
