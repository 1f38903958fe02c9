import * as fs from 'node:fs';
import * as path from 'node:path';

const RELEASE = 'bookworm';
const ETC_APT = '/etc/apt';

/** One place that packages come from, as sources.list writes it. */
interface Source {
  readonly options: string;
  readonly uri: string;
  readonly suite: string;
}

/**
 * Lines of a sources.list for Debian 12, from the mirrors that this machine itself uses: whoever runs the lab has
 * chosen them, and may be able to reach no others.
 */
export function debianSources(): string {
  const mirror = process.env.NIM_HA_LAB_MIRROR;
  if (mirror) return `deb ${mirror} ${RELEASE} main\n`;
  const lines = allSources().flatMap(({ options, uri, suite }) => {
    const match = /^(bookworm|trixie|forky|sid)(-updates|-security)?$/.exec(suite);
    return match ? [`deb ${options}${uri} ${RELEASE}${match[2] ?? ''} main`] : [];
  });
  if (lines.length === 0) {
    throw new Error(`no Debian mirror among the package sources in ${ETC_APT}; name one in NIM_HA_LAB_MIRROR`);
  }
  return `${[...new Set(lines)].join('\n')}\n`;
}

function allSources(): Source[] {
  const files = [path.join(ETC_APT, 'sources.list'), ...listed(path.join(ETC_APT, 'sources.list.d'))];
  return files.flatMap((file) => {
    const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    return file.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text);
  });
}

function listed(dir: string): string[] {
  return fs.existsSync(dir) ? fs.readdirSync(dir).sort().map((name) => path.join(dir, name)) : [];
}

export function parseOneLine(text: string): Source[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+.*\bmain\b/.exec(line);
    return match ? [{ options: match[1] ? `${match[1].trim()} ` : '', uri: match[2], suite: match[3] }] : [];
  });
}

export function parseDeb822(text: string): Source[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string[] =>
      (new RegExp(`^${name}:(.*)$`, 'im').exec(stanza.replace(/^#.*\n?/gm, ''))?.[1] ?? '').trim().split(/\s+/).filter(Boolean);
    if (!field('Types').includes('deb') || !field('Components').includes('main') || field('Enabled')[0] === 'no') return [];
    const [key] = field('Signed-By');
    const options = key?.startsWith('/') ? `[signed-by=${key}] ` : '';
    return field('URIs').flatMap((uri) => field('Suites').map((suite) => ({ options, uri, suite })));
  });
}
