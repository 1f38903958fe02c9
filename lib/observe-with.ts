import { ofKinds, text, WrongKind } from './kinds';
import { OpenSshCredentials } from './remote/login';

/** What the OpenSSH client logs in with when it reads a node's state or removes the pair. */
export class ObserveWith {
  /** A private key in an environment variable of the machine that runs Terraform. Its name, not its value. */
  public static keyFromEnvironment(variable: string): ObserveWith {
    return new ObserveWith({ keyEnv: variable });
  }

  /** A private key in a file on the machine that runs Terraform; an absolute path, or one that starts with `~/`. */
  public static keyFile(path: string): ObserveWith {
    return new ObserveWith({ keyFile: path });
  }

  /** The SSH agent of the machine that runs Terraform. It is not forwarded. */
  public static agent(): ObserveWith {
    return new ObserveWith({ agent: true });
  }

  /** @internal */
  public readonly _credentials: OpenSshCredentials;
  /** @internal */
  public readonly _wrong: WrongKind[];

  private constructor(credentials: OpenSshCredentials) {
    const { keyEnv, keyFile } = credentials;
    const { props, wrong } = ofKinds({ keyEnv, keyFile }, { keyEnv: text, keyFile: text });
    this._credentials = { ...credentials, ...props };
    this._wrong = wrong.map((each) => ({ ...each, path: '' }));
  }
}
