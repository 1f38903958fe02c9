import { GUIDE_SERVICES } from './config/model';
import { ofKinds, text, WrongKind } from './kinds';

/**
 * A systemd service that runs on the active node only, and whose failure moves the pair to the other node.
 *
 * Guide: "Define monitored services".
 */
export class MonitoredService {
  /** ClickHouse, the database behind NGINX Instance Manager. */
  public static readonly CLICKHOUSE_SERVER = new MonitoredService('clickhouse-server');
  /** NGINX, in front of NGINX Instance Manager. */
  public static readonly NGINX = new MonitoredService('nginx');
  /** NGINX Instance Manager: core. */
  public static readonly NMS_CORE = new MonitoredService('nms-core');
  /** NGINX Instance Manager: data plane manager. */
  public static readonly NMS_DPM = new MonitoredService('nms-dpm');
  /** NGINX Instance Manager: integrations. With it in the list, the mode of operation has to be the same on both nodes. */
  public static readonly NMS_INTEGRATIONS = new MonitoredService('nms-integrations');
  /** NGINX Instance Manager: ingestion. */
  public static readonly NMS_INGESTION = new MonitoredService('nms-ingestion');

  /**
   * Any other service of the node.
   *
   * @param name unit name without `.service`, a literal: it becomes part of paths on the node. What systemd would not
   *   take as a name is reported by validation.
   */
  public static of(name: string): MonitoredService {
    return new MonitoredService(name);
  }

  /** The six services of the guide, in its order. */
  public static guide(): MonitoredService[] {
    return GUIDE_SERVICES.map((name) => new MonitoredService(name));
  }

  /** Unit name without `.service`. */
  public readonly name: string;
  /** @internal */
  public readonly _wrong: WrongKind[];

  private constructor(name: string) {
    const { props, wrong } = ofKinds({ name }, { name: text });
    this.name = props.name;
    this._wrong = wrong.map((each) => ({ ...each, path: '' }));
  }
}
