import { Problem, type Service } from '@centralita/contracts';
import { z } from 'zod';
import { isBinarySchema } from './binary.js';
import type { Route } from './route.js';

type Json = Record<string, unknown>;

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const made = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any', reused: 'inline' }) as Json;
  delete made.$schema;
  return made;
};

const parametersOf = (where: 'path' | 'query', schema: z.ZodType | undefined): Json[] => {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }));
};

const headerParameter = (name: string, required: boolean, description: string): Json => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string' },
});

const operationOf = (route: Route, service: Service): Json => {
  const success = String(route.status ?? 200);
  const content = isBinarySchema(route.response)
    ? { '*/*': { schema: { type: 'string', format: 'binary' } } }
    : { 'application/json': { schema: jsonSchema(route.response, 'output') } };
  return {
    operationId: `${service}.${route.method.toLowerCase()}${route.path.replace(/^\/v\d+/, '').replaceAll(/[/:]+(\w)/g, (_, first: string) => first.toUpperCase())}`,
    summary: route.summary,
    tags: [service],
    parameters: [
      ...parametersOf('path', route.params),
      ...parametersOf('query', route.query),
      ...(route.idempotent
        ? [headerParameter('idempotency-key', true, 'new for each command; a repetition answers with the first result')]
        : []),
      ...(route.ifMatch
        ? [headerParameter('if-match', route.ifMatch === 'required', 'the version that the caller has seen')]
        : []),
      headerParameter('x-causal-token', false, 'answer only after what this token stands for has been seen'),
    ],
    ...(route.body
      ? { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(route.body, 'input') } } } }
      : {}),
    responses: {
      [success]: {
        description: route.summary,
        ...(route.audited
          ? {
              headers: {
                'x-access-record': {
                  description: 'id of the access record of this answer',
                  schema: { type: 'string', format: 'uuid' },
                },
              },
            }
          : {}),
        content,
      },
      default: {
        description: 'Problem document (RFC 9457)',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
    'x-roles': route.roles,
    ...(route.audited ? { 'x-audited': { action: route.audited.action, resource: route.audited.resource } } : {}),
  };
};

/** OpenAPI 3.1 document of the routes, from the same descriptions that validate and authorise. Internal routes are left out. */
export const openApiDocument = (service: Service, routes: readonly Route[], version = '0.1.0'): Json => {
  const paths: Record<string, Json> = {};
  const open = routes.filter((route) => !route.internal);
  for (const route of [...open].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route, service);
  }
  return {
    openapi: '3.1.0',
    info: { title: `Centralita ${service}`, version },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    paths,
    components: {
      schemas: { Problem: jsonSchema(Problem, 'output') },
      securitySchemes: { gateway: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    security: [{ gateway: [] }],
  };
};
