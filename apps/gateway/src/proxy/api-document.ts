import { Problem, Session } from '@centralita/contracts';
import { z } from 'zod';
import { platformPaths } from '../platform/api-paths.js';
import type { ApiDocument, RouteTable } from './route-table.js';
import { ownerOfSegment, upstreams } from './services.js';

type Json = Record<string, unknown>;

const schemaOf = (schema: z.ZodType): Json => {
  const made = z.toJSONSchema(schema, { target: 'draft-2020-12', unrepresentable: 'any' }) as Json;
  delete made.$schema;
  return made;
};
const problem = {
  description: 'Problem document (RFC 9457)',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** What the gateway itself answers. */
const ownPaths: Json = {
  '/auth/login': {
    get: {
      operationId: 'gateway.login',
      summary: 'Begins a sign-in: redirects to the identity provider.',
      tags: ['gateway'],
      security: [],
      parameters: [
        { name: 'returnTo', in: 'query', required: false, schema: { type: 'string' }, description: 'path to come back to' },
      ],
      responses: { '302': { description: 'To the identity provider' }, default: problem },
    },
  },
  '/auth/logout': {
    post: {
      operationId: 'gateway.logout',
      summary: 'Ends the session.',
      tags: ['gateway'],
      responses: {
        '200': {
          description: 'Ended; `redirect` is where the provider ends its own session',
          content: {
            'application/json': {
              schema: { type: 'object', required: ['redirect'], properties: { redirect: { type: ['string', 'null'] } } },
            },
          },
        },
        default: problem,
      },
    },
  },
  '/auth/operator-token': {
    get: {
      operationId: 'gateway.operatorToken',
      summary: 'A token, as text, with which the platform team operates one service directly for five minutes.',
      tags: ['gateway'],
      'x-roles': ['platform'],
      parameters: [{ name: 'service', in: 'query', required: true, schema: { type: 'string', enum: [...upstreams] } }],
      responses: {
        '200': { description: 'The token', content: { 'text/plain': { schema: { type: 'string' } } } },
        default: problem,
      },
    },
  },
  '/api/session': {
    get: {
      operationId: 'gateway.session',
      summary: 'Who is signed in.',
      tags: ['gateway'],
      responses: {
        '200': { description: 'The session', content: { 'application/json': { schema: schemaOf(Session) } } },
        default: problem,
      },
    },
  },
  '/api/live': {
    get: {
      operationId: 'gateway.live',
      summary:
        'Server-sent events: `pointer` (a change to look at, never customer data) and `heartbeat` every 5 s; resumes by Last-Event-ID or cursor.',
      tags: ['gateway'],
      parameters: [{ name: 'cursor', in: 'query', required: false, schema: { type: 'string' } }],
      responses: {
        '200': { description: 'A stream', content: { 'text/event-stream': { schema: { type: 'string' } } } },
        default: problem,
      },
    },
  },
  ...platformPaths(problem),
};

const publicPaths = (service: string, document: ApiDocument): [string, unknown][] =>
  Object.entries(document.paths)
    .filter(([path]) => ownerOfSegment[path.split('/')[2] ?? ''] === service)
    .map(([path, operations]) => [`/api${path}`, operations]);

/** One OpenAPI 3.1 document of the public API: the services' own, under /api, and what the gateway adds. */
export const mergedDocument = (table: RouteTable, publicUrl: string): Json => {
  const paths = [...table.documents].flatMap(([service, document]) => publicPaths(service, document));
  const schemas = [...table.documents.values()].reduce<Json>(
    (all, document) => ({ ...all, ...document.components?.schemas }),
    {},
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'Centralita',
      version: '0.1.0',
      description:
        'Sign in at /auth/login; calls carry the session cookie and the header `x-centralita: 1`. Errors are problem documents with a stable `code`.',
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: publicUrl.replace(/\/$/, '') }],
    paths: Object.fromEntries([...Object.entries(ownPaths), ...paths].sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: { ...schemas, Problem: schemaOf(Problem) },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'centralita-session' },
        ownPage: { type: 'apiKey', in: 'header', name: 'x-centralita' },
      },
    },
    security: [{ session: [], ownPage: [] }],
  };
};
