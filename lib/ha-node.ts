import { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { DeclaredState } from './declared-state';
import { ObservedState } from './observed-state';

/** What the pair tells a node about itself. */
interface HaNodeInit {
  readonly declared: DeclaredState;
  /** Resolving tokens takes time, and few programs look at the files. */
  readonly files: () => { [path: string]: string };
}

/**
 * One of the two servers of a `NimHaPair`, found there as `pair.primary` and `pair.secondary`.
 *
 * Which of them is active is decided by keepalived at run time; `role` only says which one begins.
 */
export class HaNode extends Construct implements ITerraformDependable {
  /** @internal */
  public static _create(scope: Construct, id: string): HaNode {
    return new HaNode(scope, id);
  }

  private init?: HaNodeInit;
  private observedState?: ObservedState;
  private dependable?: ITerraformDependable;

  private constructor(scope: Construct, id: string) {
    super(scope, id);
  }

  /** @internal */
  public _describe(init: HaNodeInit): void {
    this.init = init;
  }

  /** @internal */
  public _deployed(ready: ITerraformDependable, observed: ObservedState): void {
    this.dependable = ready;
    this.observedState = observed;
  }

  /** What the program says of the node. */
  public get declared(): DeclaredState {
    return this.init!.declared;
  }

  /** What the node says of itself. */
  public get observed(): ObservedState {
    return this.observedState!;
  }

  /**
   * Path on the node -> text, of every file that differs from pair to pair, and the two lines of `/etc/fstab`. Tokens appear as
   * what they stand for (`${var.host}`), so that the text is fit for a snapshot. `<AUTH_PASSWORD>` stands for the
   * password, which is in no text.
   */
  public get files(): { [path: string]: string } {
    return this.init!.files();
  }

  /** `primary` or `secondary`. */
  public get role(): string {
    return this.declared.role;
  }

  /** Done when the pair is. For `dependsOn`; the node itself works there, too. */
  public get ready(): ITerraformDependable {
    return this.dependable!;
  }

  /** For `dependsOn`. */
  public get fqn(): string {
    return this.ready.fqn;
  }

  /** `declared` and `observed` as one object with names in snake_case, for an output. */
  public get output(): any {
    return { declared: this.declared._snakeCase(), observed: this.observed.value };
  }
}
