/** A line that is longer is none of ours: labels are closed sets. */
const LONGEST_LINE = 4096;
const MOST_SAMPLES = 20_000;

export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };
/** Samples by family. A family that is declared and has no sample yet (a counter with labels that nobody has counted) is empty. */
export type MetricFamilies = ReadonlyMap<string, readonly Sample[]>;

const line = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?$/;
const label = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const escapes: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };
const words: Readonly<Record<string, number>> = { '+Inf': Infinity, Inf: Infinity, '-Inf': -Infinity, NaN: Number.NaN };

const labelsOf = (text: string | undefined): Record<string, string> =>
  Object.fromEntries(
    [...(text ?? '').matchAll(label)].map(([, name = '', value = '']) => [
      name,
      value.replaceAll(/\\(.)/g, (_, escaped: string) => escapes[escaped] ?? escaped),
    ]),
  );

/**
 * Reads the wanted families out of Prometheus' text format (0.0.4); of a histogram the buckets. Lines that it cannot read are passed
 * over, as a scraper of a newer format would have to; what is read is bounded, because a wrong address may answer with anything.
 */
export const parseMetrics = (text: string, wanted: ReadonlySet<string>): MetricFamilies => {
  const families = new Map<string, Sample[]>();
  let count = 0;
  for (const raw of text.split('\n')) {
    const each = raw.trimEnd();
    if (each === '' || each.length > LONGEST_LINE) continue;
    if (each.startsWith('#')) {
      const [, keyword, name] = each.split(' ', 3);
      if (keyword === 'TYPE' && name !== undefined && wanted.has(name) && !families.has(name)) families.set(name, []);
      continue;
    }
    const name = /^[\w:]+/.exec(each)?.[0] ?? '';
    const family = name.endsWith('_bucket') ? name.slice(0, -'_bucket'.length) : name;
    if (!wanted.has(family)) continue;
    const found = line.exec(each);
    const value = found === null ? Number.NaN : (words[found[3] ?? ''] ?? Number(found[3]));
    if (found === null || Number.isNaN(value)) continue;
    if ((count += 1) > MOST_SAMPLES) break;
    const samples = families.get(family) ?? [];
    samples.push({ labels: labelsOf(found[2]), value });
    families.set(family, samples);
  }
  return families;
};
