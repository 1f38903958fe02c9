import { isAbsolute, resolve } from 'path';
import { Token } from 'cdktf';
import { IConstruct } from 'constructs';
import { list, text } from './given';
import { instance, Kinds, number, ofKinds, text as textKind, texts, within, WrongKind } from './kinds';
import { ObserveWith } from './observe-with';
import { Login, OpenSshCredentials } from './remote/login';
import { environmentVariable } from './remote/variables';

/** What every way of logging in has in common. */
export interface SshOptions {
  /** User on the node: root, or one that may use `sudo`. */
  readonly user: string;

  /**
   * What `sudo` asks this user for: a sensitive Terraform variable. Before each step it is put into a 0600 file in the user's home, and the step
   * empties that file before anything else. A value that is no variable is not there when a node's state is read or the pair is removed.
   *
   * @default - sudo asks for nothing, or the user is root
   */
  readonly sudoPassword?: string;

  /**
   * How long Terraform tries to connect, with its unit: `90s`, `2m`. A wrong host key is tried again until then, too.
   *
   * @default 2m
   */
  readonly timeout?: string;

  /**
   * What the OpenSSH client logs in with when it reads a node's state or removes the pair.
   *
   * @default - the same key, file, agent or password, where the client can get at it: a key or a password has to come
   * from a Terraform variable that is set in the environment (`TF_VAR_...`)
   */
  readonly observeWith?: ObserveWith;
}

/** Login with a private key. */
export interface PrivateKeyOptions extends SshOptions {
  /** The private key itself, in PEM or OpenSSH form. Give a Terraform variable; a literal ends up in `cdktf.out`. */
  readonly privateKey: string;
}

/** Login with a private key in a file. */
export interface PrivateKeyFileOptions extends SshOptions {
  /**
   * Where the key lies on the machine that runs Terraform. `~/` is its user's home; a relative path starts where the program runs, and is absolute in the
   * state, where a destroy reads it: where several people or runners share a state, give one that is the same for all of them.
   */
  readonly path: string;
}

/** Login with a password. */
export interface PasswordOptions extends SshOptions {
  /** The password. Give a Terraform variable; a literal ends up in `cdktf.out`. */
  readonly password: string;
}

/** A machine that the connections go through. It takes the same credentials as the nodes. */
export interface BastionOptions {
  /** Name or address. */
  readonly host: string;
  /** Its public host keys, one `type base64` line each. Give all that it has: the two sides choose one. */
  readonly hostKeys: string[];
  /** @default 22 */
  readonly port?: number;
  /** @default - the user of the nodes */
  readonly user?: string;
}

const KINDS: Kinds<SshOptions> = { user: textKind, sudoPassword: textKind, timeout: textKind, observeWith: instance(ObserveWith, 'an ObserveWith') };
const KEY_KINDS: Kinds<PrivateKeyOptions> = { ...KINDS, privateKey: textKind };
const KEY_FILE_KINDS: Kinds<PrivateKeyFileOptions> = { ...KINDS, path: textKind };
const PASSWORD_KINDS: Kinds<PasswordOptions> = { ...KINDS, password: textKind };
const BASTION_KINDS: Kinds<BastionOptions> = { host: textKind, hostKeys: texts, port: number, user: textKind };

/**
 * How to log in to the nodes. Host keys are verified unless that is switched off by name.
 *
 * Steps that change something connect through Terraform's provisioners; reading state and removal go through the OpenSSH
 * client of the machine that runs Terraform.
 */
export class SshAccess {
  /** With a private key, usually a sensitive Terraform variable. */
  public static withPrivateKey(options: PrivateKeyOptions): SshAccess {
    const { props, wrong } = ofKinds(options, KEY_KINDS);
    return new SshAccess(props, { privateKey: props.privateKey }, wrong);
  }

  /** With a private key in a file. */
  public static withPrivateKeyFile(options: PrivateKeyFileOptions): SshAccess {
    const { props, wrong } = ofKinds(options, KEY_FILE_KINDS);
    const { path } = props;
    return new SshAccess(props, { privateKeyFile: isRelative(path) ? resolve(path) : path }, wrong);
  }

  /**
   * With the SSH agent of the machine that runs Terraform.
   *
   * Terraform forwards the agent to the node and cannot be told not to: while a step runs, root on the node can use its keys.
   * All other ways of logging in keep the agent out of it.
   */
  public static withAgent(options: SshOptions): SshAccess {
    const { props, wrong } = ofKinds(options, KINDS);
    return new SshAccess(props, { agent: true }, wrong);
  }

  /** With a password, usually a sensitive Terraform variable. */
  public static withPassword(options: PasswordOptions): SshAccess {
    const { props, wrong } = ofKinds(options, PASSWORD_KINDS);
    return new SshAccess(props, { password: props.password }, wrong);
  }

  /**
   * Where none was given. Validation says so.
   *
   * @internal
   */
  public static get _none(): SshAccess {
    return new SshAccess({} as SshOptions, { agent: true }, []);
  }

  private constructor(
    private readonly options: SshOptions,
    private readonly details: Partial<Login>,
    private readonly wrong: WrongKind[],
  ) {}

  /** The same, through a bastion. Each block is then two TCP connections. */
  public viaBastion(bastion: BastionOptions): SshAccess {
    const { props, wrong } = ofKinds(bastion, BASTION_KINDS);
    const { host, hostKeys, port, user } = props;
    const details = { ...this.details, bastion: { host, hostKeys, port: port ?? 22, user: user ?? this.options.user } };
    return new SshAccess(this.options, details, [...this.wrong, ...within('bastion', wrong)]);
  }

  /**
   * The same, without verifying host keys, neither of nodes nor of a bastion: whoever answers at the address gets the
   * password of the pair. For machines whose keys cannot be known, such as ones created in the same run.
   */
  public ignoringHostKeys(): SshAccess {
    return new SshAccess(this.options, { ...this.details, verifyHostKeys: false }, this.wrong);
  }

  /** @internal */
  public _login(scope: IConstruct): Login {
    const { user, timeout, observeWith, sudoPassword } = this.options;
    const openSsh = observeWith?._credentials ?? this.openSshCredentials(scope);
    const sudoPasswordEnv = environmentVariable(scope, sudoPassword);
    return { user, timeout: timeout ?? '2m', verifyHostKeys: true, ...this.details, openSsh, sudoPassword, sudoPasswordEnv };
  }

  /**
   * For what is rendered: nothing in it is undefined that must not be.
   *
   * @internal
   */
  public _completeLogin(scope: IConstruct): Login {
    const { user, bastion, ...login } = this._login(scope);
    const jump = bastion && { ...bastion, host: text(bastion.host), user: text(bastion.user), hostKeys: list(bastion.hostKeys) };
    return { ...login, user: text(user), bastion: jump };
  }

  /**
   * Names of the secrets that are texts in the program.
   *
   * @internal
   */
  public get _literalSecrets(): string[] {
    const { privateKey, password } = this.details;
    const { sudoPassword } = this.options;
    // An empty one is an error.
    return Object.entries({ privateKey, password, sudoPassword })
      .filter(([, secret]) => secret && !Token.isUnresolved(secret))
      .map(([name]) => name);
  }

  /**
   * The path of the key as it was given, where it depends on the directory that the program runs in.
   *
   * @internal
   */
  public get _relativeKeyFile(): string | undefined {
    const { path, observeWith } = this.options as Partial<PrivateKeyFileOptions>;
    return isRelative(path) && !observeWith ? path : undefined;
  }

  /**
   * What the program has to give, as it was given.
   *
   * @internal
   */
  public get _required(): object {
    const { user, sudoPassword, observeWith } = this.options;
    const { bastion, privateKeyFile, ...details } = this.details;
    const observe = observeWith?._credentials;
    const is = (key: keyof Login): boolean => key in this.details;
    return {
      user,
      ...(is('privateKey') && { privateKey: details.privateKey }),
      ...(is('privateKeyFile') && { path: privateKeyFile }),
      ...(is('password') && { password: details.password }),
      // Undefined is what it is where sudo asks for nothing.
      ...(sudoPassword !== undefined && { sudoPassword }),
      // The empty name of a variable has a rule of its own.
      ...(observe && !observe.agent && observe.keyEnv !== '' && { observeWith: Object.values(observe)[0] }),
      ...(bastion && { bastion: { host: bastion.host, hostKeys: bastion.hostKeys } }),
    };
  }

  /**
   * What is of another kind than it has to be.
   *
   * @internal
   */
  public get _wrong(): WrongKind[] {
    return [...this.wrong, ...within('observeWith', this.options.observeWith?._wrong ?? [])];
  }

  private openSshCredentials(scope: IConstruct): OpenSshCredentials {
    const { privateKey, privateKeyFile, password, agent } = this.details;
    return {
      keyEnv: environmentVariable(scope, privateKey),
      keyFile: privateKeyFile,
      passwordEnv: environmentVariable(scope, password),
      agent,
    };
  }
}

function isRelative(path: string | undefined): path is string {
  return Boolean(path) && !Token.isUnresolved(path) && !path!.startsWith('~/') && !isAbsolute(path!);
}
