import { platformEnv, serviceEnv, type ServiceOptions } from '@centralita/platform-nest';
import { z } from 'zod';
import { loadFrom } from './repository.js';

type Fields = Readonly<Record<string, z.ZodType>>;
type Service = Pick<ServiceOptions, 'customerData' | 'relayTopics'> & { readonly schema: z.ZodType };
type Process = { readonly name: string; readonly fields: Fields };

const fieldsOf = (schema: z.ZodType): Fields => {
  if (schema instanceof z.ZodObject) return schema.shape;
  if (schema instanceof z.ZodPipe) return fieldsOf(schema.in as z.ZodType);
  throw new TypeError('settings are an object of zod');
};

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

const rowOf = (name: string, schema: z.ZodType, given = defaultOf(schema)): string => {
  const meaning = descriptionOf(schema);
  if (meaning === undefined) throw new Error(`${name} has no description: give its schema one`);
  return `| \`${name}\` | ${given} | ${meaning} |`;
};

/** What a service makes of the platform's optional settings: see `environmentOf` of platform-nest. */
const needs = ({ customerData, relayTopics }: Service): string[] => [
  ...(customerData ? ['KEYRING_DATABASE_URL', 'KEYRING_MASTER_KEY'] : []),
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
  const services = await behindGateway();
  const everywhere = Object.keys(platformEnv.shape);
  const inServices = Object.keys(serviceEnv.shape);
  const processes: readonly Process[] = [
    { name: 'ingest-webhook', fields: without(fieldsOf(webhookEnv), everywhere) },
    ...services.map(([name, { schema }]) => ({ name, fields: without(fieldsOf(schema), inServices) })),
    { name: 'gateway', fields: without(fieldsOf(gatewayEnv), everywhere) },
  ];
  return [
    '# Environment variables',
    '',
    'Made from the schemas by `tools/reference`; do not edit. A process reads its environment once, at its start. If something is wrong, one',
    'message lists all of it and the process ends with status 78. Values are never printed. An empty value counts as none.',
    '',
    ...section(
      'Every process',
      Object.entries(platformEnv.shape).map(([name, schema]) => rowOf(name, schema)),
    ),
    ...section(
      `Every service behind the gateway: ${services.map(([name]) => name).join(', ')}`,
      Object.entries(without(serviceEnv.shape, everywhere)).map(([name, schema]) =>
        rowOf(name, schema, givenTo(services, name, schema)),
      ),
    ),
    ...processes.flatMap(({ name, fields }) =>
      section(
        name,
        Object.entries(fields).map(([field, schema]) => rowOf(field, schema)),
      ),
    ),
    ...section('`main.js migrate`, which brings the database of a service up to date and ends', [
      '| `DATABASE_MIGRATOR_URL` | required | role that owns the database |',
      '| `DATABASE_APP_ROLE` | the database’s name and `_app` | role of the services |',
      '| `DATABASE_RELAY_ROLE` | the database’s name and `_relay` | role that publishes |',
      '| `INGEST_ROLE` | required for ingest | any of the three: they share one database |',
    ]),
  ].join('\n');
};
