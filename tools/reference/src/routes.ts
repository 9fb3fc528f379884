import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  listParkedKeys,
  openApiDocument,
  retryParkedKey,
  RouteRegistry,
  skipParkedRecord,
  type Logger,
} from '@centralita/platform-nest';
import { MetadataScanner, type DiscoveryService } from '@nestjs/core';
import { folderOf, loadFrom, repository } from './repository.js';

type Controller = { readonly prototype: object; readonly name: string };
type Upstream = 'conversation' | 'routing' | 'billing' | 'audit-log' | 'ingest';
type Operation = {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly 'x-roles'?: readonly string[];
  readonly 'x-audited'?: { readonly action: string };
};
export type ApiDocument = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };
type Proxy = {
  readonly RouteTable: new (logger: Pick<Logger, 'info'>) => { set(service: Upstream, document: unknown): void };
  readonly mergedDocument: (table: unknown, publicUrl: string) => ApiDocument;
  readonly upstreams: readonly Upstream[];
};

const isController = (value: unknown): value is Controller => typeof value === 'function' && value.prototype !== undefined;

/**
 * Controllers of a service, without starting it: routes stand in files named `http.ts` or `….http.ts`. The webhook is the provider's
 * door, in a process that the gateway does not know.
 */
const controllersOf = async (service: Upstream): Promise<Controller[]> => {
  const files = globSync('**/{http,*.http}.ts', { cwd: folderOf(service), exclude: ['receive-webhook/**'] }).sort();
  const modules = await Promise.all(
    files.map((file) => import(pathToFileURL(join(folderOf(service), file)).href) as Promise<Record<string, unknown>>),
  );
  return modules.flatMap((module) => Object.values(module).filter(isController));
};

/** The document that a running gateway answers at `/api/openapi.json`, made from the same descriptions by the same code. */
export const publicApi = async (): Promise<ApiDocument> => {
  const { RouteTable } = await loadFrom<Pick<Proxy, 'RouteTable'>>('gateway', 'proxy/route-table.ts');
  const { mergedDocument } = await loadFrom<Pick<Proxy, 'mergedDocument'>>('gateway', 'proxy/api-document.ts');
  const { upstreams } = await loadFrom<Pick<Proxy, 'upstreams'>>('gateway', 'proxy/services.ts');
  const table = new RouteTable({ info: () => undefined });
  for (const service of upstreams) {
    const controllers = await controllersOf(service);
    const discovery = {
      getControllers: () => controllers.map(({ name, prototype }) => ({ name, instance: Object.create(prototype) as unknown })),
    } as unknown as DiscoveryService;
    // The registry refuses what the service would refuse at its start.
    const { routes } = new RouteRegistry(discovery, new MetadataScanner());
    if (routes.length === 0) throw new Error(`no routes found in ${folderOf(service).replace(repository, '')}`);
    table.set(service, openApiDocument(service, routes));
  }
  return mergedDocument(table, 'http://127.0.0.1:4400');
};

const marks = ({ parameters = [], 'x-audited': audited }: Operation): string =>
  [
    ...(audited ? [`recorded as \`${audited.action}\``] : []),
    ...(parameters.some(({ name }) => name === 'idempotency-key') ? ['`idempotency-key`'] : []),
    ...parameters.filter(({ name }) => name === 'if-match').map(({ required }) => `\`if-match\`${required ? '' : ' (optional)'}`),
  ].join(', ');

/** The page of all public routes, in Markdown. */
export const apiPage = ({ paths }: ApiDocument): string => {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const services = [...new Set(operations.map(({ operation }) => operation.tags[0] ?? ''))].sort();
  return [
    '# Public HTTP API',
    '',
    'Made from the routes by `tools/reference`; do not edit. The whole OpenAPI 3.1 document, with every schema, is',
    '[openapi.json](openapi.json); a running gateway answers it at `/api/openapi.json`.',
    '',
    'Sign in at `/auth/login`. Calls carry the session cookie and the header `x-centralita: 1`. Errors are problem documents (RFC 9457) with a',
    'stable `code`. Lists go on by `nextCursor`. A command takes an `idempotency-key`, new for each command: a repetition answers the first',
    'result. The answer of a command has an `x-causal-token`; a later call that carries it waits up to 2 s until the service has seen what it',
    'stands for. An answer with customer data names its access record in `x-access-record`.',
    '',
    ...services.flatMap((service) => [
      `## ${service}`,
      '',
      '| call | what it does | roles | headers and recording |',
      '|---|---|---|---|',
      ...operations
        .filter(({ operation }) => operation.tags[0] === service)
        .map(
          ({ path, method, operation }) =>
            `| \`${method} ${path}\` | ${operation.summary} | ${(operation['x-roles'] ?? ['-']).join(', ')} | ${marks(operation) || '-'} |`,
        ),
      '',
    ]),
    '## On each service itself',
    '',
    'For commands of the platform team, at every process with a consumer group (conversation, routing, billing, audit-log, ingest-media,',
    'ingest-sender), by the token that `/auth/operator-token` gives for its service; browsers come by `/api/v1/platform/parked`. How to:',
    '[parked records](../how-to/parked-records.md).',
    '',
    '| call | what it does | roles |',
    '|---|---|---|',
    ...[listParkedKeys, retryParkedKey, skipParkedRecord].map(
      ({ method, path, summary, roles }) =>
        `| \`${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}\` | ${summary} | ${roles.join(', ')} |`,
    ),
    '',
  ].join('\n');
};
