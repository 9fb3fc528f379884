import { join } from 'node:path';
import { format } from 'prettier';
import { stringify } from 'yaml';
import { charts } from '../repository.js';
import { migrations, processes } from './processes.js';
import { aclsFile, topicsFile } from './topics.js';

const header = '# Made from the code by `npm run chart`; do not edit.\n';

const yaml = async (value: unknown): Promise<string> =>
  header +
  (await format(stringify(value, { aliasDuplicateObjects: false }), { parser: 'yaml', singleQuote: true, printWidth: 130 }));

/** Every generated file of the chart: path and contents. */
export const chartPages = async (): Promise<ReadonlyMap<string, string>> => {
  const facts = await processes();
  const lists = Object.entries(await migrations()).flatMap(([database, names]) => names.map((name) => `${database} ${name}\n`));
  const file = (name: string): string => join(charts, 'centralita/files', name);
  return new Map([
    [file('processes.json'), await format(JSON.stringify(facts), { parser: 'json', printWidth: 130 })],
    [file('migrations.txt'), lists.join('')],
    [file('topics.yaml'), await yaml(topicsFile())],
    [file('acls.yaml'), await yaml(aclsFile(facts))],
  ]);
};
