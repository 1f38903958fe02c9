import { PairModel } from './model';

/** `nim-ha.target`: the services of the active node. `BindsTo=`, because `Requires=` leaves it active when the lock fails. */
export function renderTarget(pair: PairModel): string {
  const wants = pair.services.map((service) => `Wants=${service}.service\n`).join('');
  return `[Unit]
Description=NGINX Instance Manager on the active node
BindsTo=nim-ha-lock.service
After=nim-ha-lock.service
${wants}`;
}
