import { PairModel } from './model';

/** Path of one of the share's directories on the server. */
export function exportPathOf({ exportPath }: PairModel['nfs'], directory: string): string {
  return `${exportPath === '/' ? '' : exportPath}/${directory}`;
}
