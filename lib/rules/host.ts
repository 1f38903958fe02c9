import { isIPv4, isIPv6 } from 'net';
import { problem, quoted } from './rule';

const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?';
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);
const LOOKS_LIKE_IPV4 = /^[0-9.]+$/;

/** What is wrong with a host, which is a name or an address and nothing else. */
export function hostProblem(path: string, host: string): string | undefined {
  const demand = 'must be a host name or an IP address and nothing else';
  // Before the @ there may be a password, so that part is not repeated.
  if (host.includes('@'))
    return problem(path, demand, 'a value with "@"', 'leave out what stands before it, the user belongs to ssh');
  if (host.includes('://')) return problem(path, demand, quoted(host), `write ${quoted(host.replace(/.*:\/\//, ''))}`);
  if (/^\[.*\]$/.test(host)) return problem(path, demand, quoted(host), `write ${quoted(host.slice(1, -1))}`);
  if (/^[^:]+:[0-9]+$/.test(host)) return problem(path, demand, quoted(host), 'leave the port out');
  if (!isHost(host)) return problem(path, demand, quoted(host), 'write one like "192.0.2.11" or "nim-a.example.com"');
  return undefined;
}

function isHost(host: string): boolean {
  // "::" is every address of the machine and "::1" the machine itself; what a peer can reach begins with a digit.
  if (isIPv6(host)) return /^[0-9A-Fa-f]/.test(host) && !host.includes('%');
  if (LOOKS_LIKE_IPV4.test(host)) return isIPv4(host) && !host.startsWith('0.');
  return HOST_NAME.test(host);
}

/** Whether two spellings name the same host, as far as can be told without asking a name server. */
export function sameHost(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && canonical(a) === canonical(b);
}

function canonical(host: string): string {
  // The URL parser writes an IPv6 address in its shortest form.
  return isIPv6(host) && !host.includes('%') ? new URL(`http://[${host}]`).hostname : host.toLowerCase();
}

/** `192.0.2.100` of `192.0.2.100/24`. */
export const withoutPrefix = (address: string | undefined): string | undefined => address?.split('/')[0];
