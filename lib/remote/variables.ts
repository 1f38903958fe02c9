import { DefaultTokenResolver, StringConcat, Tokenization } from 'cdktf';
import { IConstruct } from 'constructs';

/** A value with cdktf's tokens replaced by what they stand for (`${var.host}`); the numbers of tokens change from run to run. */
export function resolved<T>(scope: IConstruct, value: T): T {
  return Tokenization.resolve(value, {
    scope,
    resolver: new DefaultTokenResolver(new StringConcat()),
    preparing: false,
  });
}

/** The environment variable that brings a value in, if the value is a Terraform variable and nothing but that. */
export function environmentVariable(scope: IConstruct, value: string | undefined): string | undefined {
  const match = /^\$\{var\.([A-Za-z0-9_-]+)\}$/.exec(String(resolved(scope, value ?? '')));
  return match ? `TF_VAR_${match[1]}` : undefined;
}
