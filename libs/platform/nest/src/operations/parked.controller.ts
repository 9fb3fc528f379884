import {
  ParkedHandle,
  ParkedKeyPage,
  ParkedOutcome,
  ParkedQuery,
  PlatformError,
  SkipBody,
  type ParkedKeyView,
} from '@centralita/contracts';
import type { Drained, ParkedAfter, ParkedView } from '@centralita/event-store';
import { Controller, type Type } from '@nestjs/common';
import { z } from 'zod';
import { Endpoint, route, type EndpointInput, type InputOf } from '../endpoint/route.js';
import type { Logger } from '../logger.js';
import type { ParkedKeys } from '../runtime/parked.js';

/**
 * Only by an operator's token: neither a session's own token nor another role opens them. The gateway signs such tokens for people with the
 * role `platform`, who bring them here themselves, or whose clicks on the platform page it brings.
 */
const operators = { roles: ['platform'], internal: 'operations' } as const;
const Key = z.object({ key: ParkedHandle });

export const listParkedKeys = route({
  ...operators,
  method: 'GET',
  path: '/v1/operations/parked',
  summary: 'Keys of this service whose records wait for an operator, oldest first.',
  query: ParkedQuery,
  response: ParkedKeyPage,
});
export const retryParkedKey = route({
  ...operators,
  method: 'POST',
  path: '/v1/operations/parked/:key/retry',
  summary: 'Applies the records of a parked key again, in order.',
  params: Key,
  response: ParkedOutcome,
});
export const skipParkedRecord = route({
  ...operators,
  method: 'POST',
  path: '/v1/operations/parked/:key/skip',
  summary: 'Gives the first record of a parked key up, and applies what waited behind it.',
  params: Key,
  body: SkipBody,
  response: ParkedOutcome,
});

const After = z.tuple([z.string().regex(/^\d{1,18}$/), z.string().regex(/^-?\d{1,19}$/)]);
const cursorOf = (after: ParkedAfter): string => Buffer.from(JSON.stringify(after)).toString('base64url');
const afterOf = (cursor: string): ParkedAfter => {
  try {
    return After.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new PlatformError('VALIDATION_FAILED', 'the cursor is not one of ours');
  }
};

const viewOf = (group: string, { handle, code, parkedAt, waiting, first }: ParkedView): ParkedKeyView => ({
  key: handle,
  group,
  code,
  since: parkedAt.toISOString(),
  records: waiting.reduce((total, { records }) => total + records, 0),
  topics: [...waiting],
  first: first && { ...first, offset: first.offset.toString() },
});

/** Parked keys over HTTP, for every service with a consumer group. `parked` is asked at each call: the group joins after Nest is built. */
export const ParkedController = (parked: () => ParkedKeys, logger: Logger): Type => {
  /** Both decisions: who decides, about which key, and what came of it. */
  const decide = async (
    what: string,
    input: EndpointInput<{ readonly key: string }, unknown, unknown>,
    decision: (key: string, operator: { actorId: string; tenantId: string }) => Promise<Drained>,
  ): Promise<ParkedOutcome> => {
    const { tenantId, params, actor } = input;
    const group = parked().groupId;
    const key = await parked().keyOf(tenantId, params.key);
    if (key === null) throw new PlatformError('NOT_FOUND', 'this key is not parked', { group });
    const { applied, blocked } = await decision(key, { actorId: actor.id, tenantId });
    logger.warn({ group, key: params.key, actor: actor.id, applied, blocked }, what);
    return { key: params.key, group, applied, blocked };
  };

  @Controller()
  class ServiceParkedController {
    @Endpoint(listParkedKeys)
    async list({ tenantId, query }: InputOf<typeof listParkedKeys>): Promise<ParkedKeyPage> {
      const { items, next } = await parked().page({
        tenantId,
        limit: query.limit,
        ...(query.key === undefined ? {} : { handle: query.key }),
        ...(query.cursor === undefined ? {} : { after: afterOf(query.cursor) }),
      });
      return { items: items.map((item) => viewOf(parked().groupId, item)), nextCursor: next && cursorOf(next) };
    }

    @Endpoint(retryParkedKey)
    retry(input: InputOf<typeof retryParkedKey>): Promise<ParkedOutcome> {
      return decide('parked key retried', input, (key, operator) => parked().retry(key, operator));
    }

    @Endpoint(skipParkedRecord)
    skip(input: InputOf<typeof skipParkedRecord>): Promise<ParkedOutcome> {
      const { topic, partition, offset } = input.body.record;
      const record = { topic, partition, offset: BigInt(offset) };
      return decide('parked record skipped', input, (key, operator) => parked().skip(key, record, operator));
    }
  }
  return ServiceParkedController;
};
