import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { parse, stringify } from 'yaml';
import { render } from '../helm/render.js';
import { dependenciesChart, mainChart } from '../repository.js';
import { migrations, processes } from './processes.js';
import { fillPage, secretsTable, valuesTable } from './readme.js';
import { schemaOf } from './schema.js';
import { aclsFile, topicsFile } from './topics.js';
import { readValues, type Value } from './values.js';

const header = '# Made from the code by `npm run chart`; do not edit.\n';
const made = '<!-- Made from README.template.md and values.yaml by `npm run chart`; do not edit. -->\n';

const yaml = async (value: unknown): Promise<string> =>
  header +
  (await format(stringify(value, { aliasDuplicateObjects: false }), { parser: 'yaml', singleQuote: true, printWidth: 130 }));
const json = (value: unknown): Promise<string> => format(JSON.stringify(value), { parser: 'json', printWidth: 130 });

const read = (chart: string, file: string): string => readFileSync(join(chart, file), 'utf8');

export const valuesOf = (chart: string): readonly Value[] => readValues(read(chart, 'values.yaml'));

/** Keys that are gone, of which a template tells what became of them. */
const deprecatedKeys = (): string[] =>
  [...read(mainChart, 'templates/_deprecations.tpl').matchAll(/^ {2}"([A-Za-z]+)" "/gm)].map(([, key]) => key ?? '');

/** What follows from the code: facts of the processes, migrations, topics, rights. */
export const factPages = async (): Promise<ReadonlyMap<string, string>> => {
  const facts = await processes();
  const lists = Object.entries(await migrations()).flatMap(([database, names]) => names.map((name) => `${database} ${name}\n`));
  const topics = await yaml(topicsFile());
  const acls = await yaml(aclsFile(facts));
  return new Map([
    [join(mainChart, 'files/processes.json'), await json(facts)],
    [join(mainChart, 'files/migrations.txt'), lists.join('')],
    ...[mainChart, dependenciesChart].flatMap((chart): [string, string][] => [
      [join(chart, 'files/topics.yaml'), topics],
      [join(chart, 'files/acls.yaml'), acls],
    ]),
  ]);
};

export const schemaPages = async (): Promise<ReadonlyMap<string, string>> =>
  new Map([
    [
      join(mainChart, 'values.schema.json'),
      await json(schemaOf(valuesOf(mainChart), { title: 'Values of centralita', deprecated: deprecatedKeys() })),
    ],
    [
      join(dependenciesChart, 'values.schema.json'),
      await json(schemaOf(valuesOf(dependenciesChart), { title: 'Values of centralita-deps' })),
    ],
  ]);

/** The chart's README: needs everything else to be there, since its list of secrets is that of a render. */
export const readmePages = (): ReadonlyMap<string, string> => {
  const { version, appVersion, kubeVersion } = parse(read(mainChart, 'Chart.yaml')) as Record<string, string>;
  const manifests = render({ files: ['values/production.yaml'] });
  const page = fillPage(read(mainChart, 'README.template.md'), {
    version: String(version),
    'app version': String(appVersion),
    'kubernetes version': String(kubeVersion),
    values: valuesTable(valuesOf(mainChart)),
    secrets: secretsTable(manifests),
  });
  return new Map([[join(mainChart, 'README.md'), made + page]]);
};
