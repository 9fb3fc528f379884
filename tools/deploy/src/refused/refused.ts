import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { tryRender } from '../helm/render.js';
import { repository } from '../repository.js';
import { installation } from '../chart/cases.js';

const folder = join(repository, 'tools/deploy/refused');

/** Wrong values: a file whose first lines, as comments, are all that the chart must say of them. */
export type Refused = {
  readonly name: string;
  readonly file: string;
  readonly sentences: readonly string[];
  readonly body: string;
};

/** `any` holds values that are wrong alone, the others such that are wrong in a complete installation of that profile. */
export const refused = (): Refused[] =>
  ['any', 'production', 'compliance'].flatMap((profile) =>
    readdirSync(join(folder, profile))
      .sort()
      .map((file) => {
        const path = join(folder, profile, file);
        const lines = readFileSync(path, 'utf8').split('\n');
        const comments = lines.filter((line) => line.startsWith('# '));
        return {
          name: `${profile}/${file}`,
          file: path,
          sentences: comments.map((line) => line.slice(2)),
          body: lines.filter((line) => !line.startsWith('# ')).join('\n'),
        };
      }),
  );

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Values as helm lays one file over another: maps are merged, everything else is replaced. */
const over = (base: Record<string, unknown>, top: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(top)])].map((key) => {
      const [below, above] = [base[key], top[key]];
      return [key, isMap(below) && isMap(above) ? over(below, above) : key in top ? above : below];
    }),
  );

export const valuesOf = ({ name, body }: Refused): Record<string, unknown> => {
  const own = parse(body) as Record<string, unknown>;
  const profile = name.split('/')[0];
  return profile === 'any' ? own : over({ ...installation, profile }, own);
};

/** What helm says of values, without its own words around it; nothing when it renders them. */
export const sentencesOf = (values: Record<string, unknown>): string[] => {
  const { status, stderr } = tryRender({ values });
  if (status === 0) return [];
  const listed = stderr.split('\n').flatMap((line) => /^\s*- (.+)$/.exec(line)?.[1] ?? []);
  if (listed.length > 0) return listed;
  return [/execution error at \([^)]*\): ([\s\S]*?)(\n\nUse --debug|$)/.exec(stderr)?.[1]?.trim() ?? stderr.trim()];
};
