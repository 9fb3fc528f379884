import {
  ParkedHandle,
  ParkedOutcome,
  ParkingProcess,
  PlatformOverview,
  PlatformParkedPage,
  PlatformParkedQuery,
  SkipBody,
} from '@centralita/contracts';
import { z } from 'zod';

type Json = Record<string, unknown>;
const schemaOf = (schema: z.ZodType, io: 'input' | 'output' = 'output'): Json => {
  const made = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' }) as Json;
  delete made.$schema;
  return made;
};

type Described = {
  readonly id: string;
  readonly summary: string;
  readonly response: z.ZodType;
  readonly parameters?: readonly Json[];
  readonly body?: z.ZodType;
};

/** One operation of the platform page, as the merged document shows it. */
const operation = ({ id, summary, response, parameters, body }: Described, problem: Json): Json => ({
  operationId: `gateway.${id}`,
  summary,
  tags: ['gateway'],
  'x-roles': ['platform'],
  ...(parameters ? { parameters } : {}),
  ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } } } : {}),
  responses: {
    '200': { description: summary, content: { 'application/json': { schema: schemaOf(response) } } },
    default: problem,
  },
});

const ofKey = [
  { name: 'process', in: 'path', required: true, schema: schemaOf(ParkingProcess) },
  { name: 'key', in: 'path', required: true, schema: schemaOf(ParkedHandle) },
];
const ofQuery = Object.entries(PlatformParkedQuery.shape).map(([name, schema]) => ({
  name,
  in: 'query',
  required: false,
  schema: schemaOf(schema),
}));

/** What the gateway answers itself to the platform team. */
export const platformPaths = (problem: Json): Json => ({
  '/api/v1/platform/overview': {
    get: operation(
      {
        id: 'platformOverview',
        summary: 'Health, lag, delays, parked keys, ledger and proofs of the installation, as the gateway sampled them last.',
        response: PlatformOverview,
      },
      problem,
    ),
  },
  '/api/v1/platform/parked': {
    get: operation(
      {
        id: 'platformParked',
        summary: 'Parked keys of the tenant in all services, oldest first.',
        parameters: ofQuery,
        response: PlatformParkedPage,
      },
      problem,
    ),
  },
  '/api/v1/platform/parked/{process}/{key}/retry': {
    post: operation(
      {
        id: 'platformRetry',
        summary: 'Has a service apply the records of a parked key again, in order.',
        parameters: ofKey,
        response: ParkedOutcome,
      },
      problem,
    ),
  },
  '/api/v1/platform/parked/{process}/{key}/skip': {
    post: operation(
      {
        id: 'platformSkip',
        summary: 'Has a service give the first record of a parked key up for ever, and apply what waited behind it.',
        parameters: ofKey,
        body: SkipBody,
        response: ParkedOutcome,
      },
      problem,
    ),
  },
});
