import { renderKeepalivedConf } from './keepalived-conf';
import { NodeModel, PairModel, RenderedFile } from './model';
import { renderNotifyScript } from './notify-script';
import { renderServiceDropIn } from './service-drop-in';
import { renderTarget } from './target-unit';

/** Every file of a node that differs from pair to pair, whole. What is the same on every node is in `scripts/`. */
export function renderFiles(pair: PairModel, node: NodeModel): RenderedFile[] {
  return [
    // The only file that will hold the password, so nobody but root reads it.
    { path: '/etc/keepalived/keepalived.conf', mode: '0600', text: renderKeepalivedConf(pair, node) },
    { path: '/etc/nms/scripts/nms-notify-keepalived.sh', mode: '0755', text: renderNotifyScript(pair) },
    { path: '/etc/systemd/system/nim-ha.target', mode: '0644', text: renderTarget(pair) },
    ...pair.services.map((service) => ({
      path: `/etc/systemd/system/${service}.service.d/50-nim-ha.conf`,
      mode: '0644',
      text: renderServiceDropIn(),
    })),
  ];
}
