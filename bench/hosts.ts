export interface Hosts {
  readonly primary: string;
  readonly secondary: string;
  readonly virtualIp: string;
  readonly nfs: string;
}

/** What differs from pair to pair. All have one length, so that the baseline can put its own in place of those of the template. */
export function hosts(number: number): Hosts {
  const address = (network: number): string => `10.${network}.${100 + (number >> 6)}.${100 + (number & 63)}`;
  return { primary: address(11), secondary: address(12), virtualIp: address(13), nfs: address(14) };
}

export const stackName = (number: number): string => `pair${1000 + number}`;
