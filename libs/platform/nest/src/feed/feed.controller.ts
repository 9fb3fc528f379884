import { Cursor, FeedPage, Roles } from '@centralita/contracts';
import { Controller, type Type } from '@nestjs/common';
import { Database } from '@centralita/event-store';
import { z } from 'zod';
import { Endpoint, route, type InputOf } from '../endpoint/route.js';
import { FeedSource, type FeedReader } from './feed.js';

/** Longest wait of one long poll, in seconds; below the idle timeouts of usual proxies. */
export const MAX_FEED_WAIT_SECONDS = 25;

export const readFeed = route({
  method: 'GET',
  path: '/v1/feed',
  summary: 'Pointers to what happened since the cursor; waits for the next when there are none.',
  roles: Roles,
  query: z.object({
    cursor: Cursor.optional(),
    wait: z.coerce.number().int().min(0).max(MAX_FEED_WAIT_SECONDS).default(0).describe('seconds'),
    limit: z.coerce.number().int().min(1).max(500).default(200),
  }),
  response: FeedPage,
});

/** The feed of a service: `controllers: [FeedController(topicFeed('routing.events.v1'))]`. Pointers only, never customer data. */
export const FeedController = (reader: FeedReader): Type => {
  @Controller()
  class ServiceFeedController {
    readonly #source: FeedSource;
    constructor(db: Database) {
      this.#source = new FeedSource(db, reader);
    }

    @Endpoint(readFeed)
    async page(input: InputOf<typeof readFeed>): Promise<FeedPage> {
      const { cursor, limit, wait } = input.query;
      return this.#source.page(input.tenantId, cursor ?? null, limit, wait * 1000, input.signal);
    }
  }
  return ServiceFeedController;
};
