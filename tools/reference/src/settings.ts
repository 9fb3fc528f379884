import { companionsOf, migratorEnv, platformEnv, serviceEnv, settingsOf, type ServiceOptions } from '@centralita/platform-nest';
import { z } from 'zod';
import { loadFrom } from './repository.js';

type Fields = Readonly<Record<string, z.ZodType>>;
type Service = Pick<ServiceOptions, 'customerData' | 'relayTopics'> & { readonly schema: z.ZodType };
type Process = { readonly name: string; readonly fields: Fields };

const without = (fields: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));

const descriptionOf = (schema: z.ZodType): string | undefined =>
  schema.description ??
  (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? descriptionOf(schema.unwrap() as z.ZodType) : undefined);

/** What a schema takes when nothing is given: `required`, a default, or nothing. */
const defaultOf = (schema: z.ZodType): string => {
  const { success, data } = schema.safeParse(undefined);
  if (!success) return 'required';
  return typeof data === 'string' || typeof data === 'number' ? `\`${data}\`` : '-';
};

const rowsOf = (name: string, schema: z.ZodType, given = defaultOf(schema)): string[] => {
  const meaning = descriptionOf(schema);
  if (meaning === undefined) throw new Error(`${name} has no description: give its schema one`);
  const { file, credentials } = companionsOf(name, schema);
  return [
    `| \`${name}\` | ${given} | ${meaning} |`,
    ...(file === null ? [] : [`| \`${file}\` | - | file with \`${name}\`, in its place |`]),
    ...(credentials === null
      ? []
      : [
          `| \`${credentials}\` | - | folder with the files \`username\` and \`password\` for \`${name}\`, which then holds neither; read again at each connection |`,
        ]),
  ];
};

const rowsOfAll = (schema: z.ZodType): string[] =>
  Object.entries(settingsOf(schema)).flatMap(([name, field]) => rowsOf(name, field));

/** What a service makes of the platform's optional settings: see `environmentOf` of platform-nest. */
const needs = ({ customerData, relayTopics }: Service): string[] => [
  ...(customerData ? ['KEYRING_DATABASE_URL'] : []),
  ...(relayTopics ? ['RELAY_DATABASE_URL'] : []),
];

const behindGateway = async (): Promise<[string, Service][]> => {
  const ingest = await loadFrom<{ senderService: Service; mediaService: Service }>('ingest', 'services.ts');
  const { conversationService } = await loadFrom<{ conversationService: Service }>('conversation', 'service.ts');
  const { routingService } = await loadFrom<{ routingService: Service }>('routing', 'service.ts');
  const { billing } = await loadFrom<{ billing: Service }>('billing', 'service.ts');
  const { auditLog } = await loadFrom<{ auditLog: Service }>('audit-log', 'service.ts');
  return [
    ['ingest-media', ingest.mediaService],
    ['ingest-sender', ingest.senderService],
    ['conversation', conversationService],
    ['routing', routingService],
    ['billing', billing],
    ['audit-log', auditLog],
  ];
};

const givenTo = (services: readonly [string, Service][], name: string, schema: z.ZodType): string => {
  const spared = services.filter(([, service]) => !needs(service).includes(name)).map(([service]) => service);
  if (spared.length === services.length) return defaultOf(schema);
  return spared.length === 0 ? 'required' : `required, except for ${spared.join(' and ')}`;
};

const section = (title: string, rows: readonly string[]): string[] => [
  `## ${title}`,
  '',
  '| variable | default | meaning |',
  '|---|---|---|',
  ...rows,
  '',
];

/** The page of all environment variables, process by process, in Markdown. */
export const settingsPage = async (): Promise<string> => {
  const { gatewayEnv } = await loadFrom<{ gatewayEnv: z.ZodType }>('gateway', 'config.ts');
  const { webhookEnv } = await loadFrom<{ webhookEnv: z.ZodType }>('ingest', 'config.ts');
  const { replayEnv } = await loadFrom<{ replayEnv: z.ZodType }>('billing', 'replay/command.ts');
  const { rebuildEnv } = await loadFrom<{ rebuildEnv: z.ZodType }>('audit-log', 'rebuild/command.ts');
  const { archiveEnv } = await loadFrom<{ archiveEnv: z.ZodType }>('cli', 'ops/archive/command.ts');
  const services = await behindGateway();
  const everywhere = Object.keys(platformEnv.shape);
  const inServices = Object.keys(serviceEnv.shape);
  const processes: readonly Process[] = [
    { name: 'ingest-webhook', fields: without(settingsOf(webhookEnv), everywhere) },
    ...services.map(([name, { schema }]) => ({ name, fields: without(settingsOf(schema), inServices) })),
    { name: 'gateway', fields: without(settingsOf(gatewayEnv), everywhere) },
  ];
  return [
    '# Environment variables',
    '',
    'Made from the schemas by `tools/reference`; do not edit. A process reads its environment once, at its start. If something is wrong, one',
    'message lists all of it and the process ends with status 78. Values are never printed. An empty value counts as none. Every secret can be',
    'given as a file instead: [secrets](../how-to/secrets.md).',
    '',
    ...section(
      'Every process',
      Object.entries(platformEnv.shape).flatMap(([name, schema]) => rowsOf(name, schema)),
    ),
    ...section(
      `Every service behind the gateway: ${services.map(([name]) => name).join(', ')}`,
      Object.entries(without(serviceEnv.shape, everywhere)).flatMap(([name, schema]) =>
        rowsOf(name, schema, givenTo(services, name, schema)),
      ),
    ),
    ...processes.flatMap(({ name, fields }) =>
      section(
        name,
        Object.entries(fields).flatMap(([field, schema]) => rowsOf(field, schema)),
      ),
    ),
    ...section('`main.js migrate`, which brings the database of a service up to date and ends', [
      ...rowsOfAll(migratorEnv),
      '| `INGEST_ROLE` | required for ingest | any of the three: they share one database |',
    ]),
    ...section('`main.js replay` of billing, with the settings of Kafka', rowsOfAll(replayEnv)),
    ...section('`main.js rebuild` of audit-log, with the settings of Kafka', rowsOfAll(rebuildEnv)),
    ...section('`centralita ops archive` and `restore`, with the settings of Kafka', rowsOfAll(archiveEnv)),
  ].join('\n');
};
