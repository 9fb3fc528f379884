import { UsageBalance } from '@centralita/contracts';
import { Database } from '@centralita/event-store';
import { CLOCK, Endpoint, route, type Clock, type InputOf, type OutputOf } from '@centralita/platform-nest';
import { Controller, Inject } from '@nestjs/common';
import { AccountBook } from '../accounts.js';
import { readBooks } from './balance.js';

const balance = route({
  method: 'GET',
  path: '/v1/usage-balance',
  summary: 'Whether everything that was delivered is charged, free or in suspense, and what waits outside of the fold.',
  roles: ['billing', 'platform'],
  response: UsageBalance,
});

@Controller()
export class BalanceController {
  constructor(
    private readonly db: Database,
    private readonly accounts: AccountBook,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Endpoint(balance)
  async balance({ tenantId }: InputOf<typeof balance>): Promise<OutputOf<typeof balance>> {
    const books = await this.db.withTenant(tenantId, (tx) => readBooks(tx, this.accounts, this.clock().toISOString()));
    return books.balance;
  }
}
