/** How to log in to a node: what `SshAccess` says, in plain values. */
export interface Login {
  readonly user: string;
  /** With its unit (`2m`): Terraform takes a bare number as a mistake and waits five minutes. */
  readonly timeout: string;
  readonly verifyHostKeys: boolean;
  readonly privateKey?: string;
  readonly privateKeyFile?: string;
  readonly password?: string;
  readonly agent?: boolean;
  readonly sudoPassword?: string;
  /** Name of the environment variable that holds it where the OpenSSH client runs. */
  readonly sudoPasswordEnv?: string;
  /** Credentials of the OpenSSH client (reading state, removal), where they are not those above. */
  readonly openSsh?: OpenSshCredentials;
  readonly bastion?: Bastion;
}

export interface OpenSshCredentials {
  /** Name of an environment variable that holds a private key. */
  readonly keyEnv?: string;
  readonly keyFile?: string;
  readonly passwordEnv?: string;
  readonly agent?: boolean;
}

export interface Bastion {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeys: string[];
}

/** A node as far as reaching it goes. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly hostKeys: string[];
  readonly login: Login;
}
