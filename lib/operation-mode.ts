/**
 * Whether NGINX Instance Manager reports to F5 by itself. Written to `/etc/nms/nms.conf` on both nodes together.
 *
 * Guide: "Define monitored services", the note on `nms.conf`.
 */
export enum OperationMode {
  /** NGINX Instance Manager's own default. */
  CONNECTED = 'connected',
  /** For sites without a way to the internet. */
  DISCONNECTED = 'disconnected',
}
