import { MOUNTS } from './model';

/**
 * `50-nim-ha.conf` of a monitored service. Without the lock it cannot run, not even when somebody starts it by hand on the
 * standby; without its mounts it would write into the local directories that the mounts hide; and the slice is how the
 * lock holder knows that nothing writes any more.
 */
export function renderServiceDropIn(): string {
  return `[Unit]
BindsTo=nim-ha-lock.service
After=nim-ha-lock.service
PartOf=nim-ha.target
RequiresMountsFor=${Object.values(MOUNTS).join(' ')}

[Service]
Slice=nimha.slice
`;
}
