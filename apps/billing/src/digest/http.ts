import { BillingDigest } from '@centralita/contracts';
import type { EventLog } from '@centralita/event-log';
import { Database } from '@centralita/event-store';
import { Endpoint, EVENT_LOG, route, type InputOf, type OutputOf } from '@centralita/platform-nest';
import { Controller, Inject } from '@nestjs/common';
import { billing } from '../service.js';
import { inputTopics, logDigest, stateDigest } from './digest.js';

const digest = route({
  method: 'GET',
  path: '/v1/billing-digest',
  summary: 'Digest of the usage fold and of the log that it has read: equal for every replay of the same log.',
  roles: ['billing', 'platform'],
  response: BillingDigest,
});

@Controller()
export class DigestController {
  constructor(
    private readonly db: Database,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  @Endpoint(digest)
  async digest({ tenantId }: InputOf<typeof digest>): Promise<OutputOf<typeof digest>> {
    const rows = await this.db.system((tx) =>
      tx.query<{ topic: string; partition: number; next_offset: string }>(
        `select topic, partition, next_offset from consumer_offset where group_id = $1 and topic = any($2) order by topic, partition`,
        [billing.consumerGroup, inputTopics],
      ),
    );
    const state = await this.db.withTenant(tenantId, stateDigest);
    const read = rows
      .map((row) => ({ topic: row.topic, partition: row.partition, from: 0n, to: BigInt(row.next_offset) }))
      .filter(({ to }) => to > 0n);
    return {
      ...state,
      logDigest: await logDigest(this.log, read),
      offsets: rows.map((row) => ({ topic: row.topic, partition: row.partition, next: row.next_offset })),
    };
  }
}
