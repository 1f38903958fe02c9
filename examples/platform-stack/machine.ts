import { Resource } from '@cdktf/provider-null/lib/resource';
import { Fn } from 'cdktf';
import { Construct } from 'constructs';

/**
 * Stands in for what your platform creates machines with, such as an instance of your cloud. All that matters here is that
 * its address is known to Terraform only, and not before the machine exists.
 */
export class Machine extends Construct {
  public readonly address: string;

  constructor(scope: Construct, id: string, address: string) {
    super(scope, id);
    const instance = new Resource(this, 'instance', { triggers: { address } });
    this.address = Fn.format('%s', [Fn.lookup(instance.triggers, 'address', instance.id)]);
  }
}
