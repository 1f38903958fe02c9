import { Fn, Token } from 'cdktf';

/** Does not throw for a path that validation refuses, as cdktf's own does. */
export function pathexpand(path: string): string {
  return Fn.pathexpand(Token.isUnresolved(path) ? path : Fn.rawString(path));
}

/** A path as programs other than a shell need it: `~/`, which a token may stand for, too, is the home of whoever runs Terraform. */
export function expandedPath(path: string | undefined): string | undefined {
  return path && (Token.isUnresolved(path) || path.startsWith('~/')) ? pathexpand(path) : path;
}
