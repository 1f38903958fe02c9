/** @internal */
export interface DeclaredValues {
  name: string;
  host: string;
  role: string;
  initial_vrrp_state: string;
  network_interface: string;
  virtual_ip: string;
  virtual_router_id: number;
  monitored_services: string[];
  mounts: { [path: string]: string };
  config_fingerprint: string;
}

/** What the program says of a node. Where it was given tokens, these are tokens. */
export class DeclaredState {
  private readonly values: DeclaredValues;

  /** @internal */
  public static _of(values: DeclaredValues): DeclaredState {
    return new DeclaredState(values);
  }

  private constructor(values: DeclaredValues) {
    this.values = values;
  }

  /** Name of the node. */
  public get name(): string {
    return this.values.name;
  }

  /** Address for SSH. */
  public get host(): string {
    return this.values.host;
  }

  /** `primary` or `secondary`. */
  public get role(): string {
    return this.values.role;
  }

  /** The `state` in its keepalived.conf: `MASTER` or `BACKUP`. */
  public get initialVrrpState(): string {
    return this.values.initial_vrrp_state;
  }

  /** Interface that carries the virtual IP. */
  public get networkInterface(): string {
    return this.values.network_interface;
  }

  /** The virtual IP as given. */
  public get virtualIp(): string {
    return this.values.virtual_ip;
  }

  /** VRRP's number of the pair. */
  public get virtualRouterId(): number {
    return this.values.virtual_router_id;
  }

  /** Names of the monitored services, in their order. */
  public get monitoredServices(): string[] {
    return this.values.monitored_services;
  }

  /** Mount point -> `server:/path`. */
  public get mounts(): { [path: string]: string } {
    return this.values.mounts;
  }

  /** SHA-256, in hex, of everything that the node is told except the password. */
  public get configFingerprint(): string {
    return this.values.config_fingerprint;
  }

  /** @internal */
  public _snakeCase(): DeclaredValues {
    return this.values;
  }
}
