import { Month, PageQuery, PlatformError, Statement, StatementList, UsageItem, UsagePage, Uuid } from '@centralita/contracts';
import { Database, type Tx } from '@centralita/event-store';
import { CLOCK, Endpoint, route, type Clock, type InputOf, type OutputOf } from '@centralita/platform-nest';
import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { AccountBook, type BillingAccount } from '../accounts.js';
import { usageIdOf } from '../fold-usage/handler.js';
import { readLine, readMonth, readMonths, readUsage, statementOf, type StoredUsage } from './read.js';

const roles = ['billing'] as const;
const MonthOfAccount = z.object({ wabaId: z.string().max(64), month: Month });

const list = route({
  method: 'GET',
  path: '/v1/statements',
  summary: 'Months with usage, by account, newest first.',
  roles,
  response: StatementList,
});
const one = route({
  method: 'GET',
  path: '/v1/statements/:wabaId/:month',
  summary: 'The statement of one month of an account.',
  roles,
  params: MonthOfAccount,
  response: Statement,
});
const lineUsage = route({
  method: 'GET',
  path: '/v1/statements/:wabaId/:month/lines/:lineId/usage',
  summary: 'The usage records behind one line.',
  roles,
  params: MonthOfAccount.extend({ lineId: z.string().max(300) }),
  query: PageQuery,
  response: UsagePage,
});
const usageById = route({
  method: 'GET',
  path: '/v1/usage/:usageId',
  summary: 'One usage record with its evidence.',
  roles,
  params: z.object({ usageId: Uuid }),
  response: UsageItem,
});

@Controller()
export class StatementController {
  constructor(
    private readonly db: Database,
    private readonly accounts: AccountBook,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Endpoint(list)
  async list({ tenantId }: InputOf<typeof list>): Promise<OutputOf<typeof list>> {
    return this.db.withTenant(tenantId, async (tx) => {
      const items = [];
      for (const { waba_id, month } of await readMonths(tx)) {
        const account = this.accounts.find(tenantId, waba_id);
        if (!account) continue;
        const statement = await this.#statement(tx, account, month);
        items.push({
          wabaId: waba_id,
          name: account.numbers.map((number) => number.name).join(', '),
          month,
          currency: account.currency,
          state: statement.state,
          quantity: statement.total.quantity,
          amount: statement.total.amount,
        });
      }
      return { items };
    });
  }

  @Endpoint(one)
  async one({ tenantId, params }: InputOf<typeof one>): Promise<OutputOf<typeof one>> {
    const account = this.#account(tenantId, params.wabaId);
    return this.db.withTenant(tenantId, (tx) => this.#statement(tx, account, params.month));
  }

  @Endpoint(lineUsage)
  async lineUsage({ tenantId, params, query }: InputOf<typeof lineUsage>): Promise<OutputOf<typeof lineUsage>> {
    const account = this.#account(tenantId, params.wabaId);
    return this.db.withTenant(tenantId, async (tx) => {
      const line = { month: params.month, lineId: params.lineId, knownAt: this.clock().toISOString() };
      const records = await readLine(tx, account, line, query);
      const shown = records.slice(0, query.limit);
      return {
        items: await this.#items(tx, shown),
        nextCursor: records.length > shown.length ? (shown.at(-1)?.rowKey ?? null) : null,
      };
    });
  }

  @Endpoint(usageById)
  async usageById({ tenantId, params }: InputOf<typeof usageById>): Promise<OutputOf<typeof usageById>> {
    return this.db.withTenant(tenantId, async (tx) => {
      const record = await readUsage(tx, this.accounts, params.usageId, this.clock().toISOString());
      const [item] = record ? await this.#items(tx, [record]) : [];
      if (!item) throw new PlatformError('NOT_FOUND', 'there is nothing here');
      return item;
    });
  }

  async #statement(tx: Tx, account: BillingAccount, month: string): Promise<Statement> {
    const now = this.clock().toISOString();
    return statementOf(account, month, await readMonth(tx, account, month, now), now);
  }

  #account(tenantId: string, wabaId: string): BillingAccount {
    const account = this.accounts.find(tenantId, wabaId);
    if (!account) throw new PlatformError('NOT_FOUND', 'there is nothing here');
    return account;
  }

  async #items(tx: Tx, records: readonly StoredUsage[]): Promise<UsageItem[]> {
    const evidence = await tx.query<{
      message_ref: string;
      participant: string;
      event_id: string;
      status: string;
      provider_time: Date;
    }>(
      `select e.message_ref, e.participant, e.event_id, e.status, e.provider_time
       from usage_evidence e join unnest($2::text[], $3::text[]) as k(message_ref, participant) using (message_ref, participant)
       where e.tenant_id = $1 and e.message_ref = any ($2) order by e.provider_time, e.event_id`,
      [tx.tenantId, records.map(({ usage }) => usage.messageRef), records.map(({ usage }) => usage.participant)],
    );
    return records.map(({ usage, revision, rated, amount }) => ({
      usageId: usageIdOf(tx.tenantId, usage),
      revision,
      ...usage,
      rate: rated?.rate.toString() ?? null,
      amount: amount.toString(),
      evidence: evidence
        .filter((row) => row.message_ref === usage.messageRef && row.participant === usage.participant)
        .map((row) => ({ eventId: row.event_id, status: row.status, at: row.provider_time.toISOString() })),
    }));
  }
}
