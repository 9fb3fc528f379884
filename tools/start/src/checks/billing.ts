import type { Statement, StatementList } from '@centralita/contracts';
import type { z } from 'zod';
import type { Facts } from './facts.js';
import { Contradictions, groupBy, type Finding } from './finding.js';

/** Check 5. One usage record for each delivered message and participant; statements equal the simulator's own reckoning to the nano-unit. */
export const checkBilling = async (facts: Facts): Promise<Finding> => {
  const found = new Contradictions();
  const keyOf = (messageRef: string, participant: string): string => `${messageRef}/${participant}`;
  const latest = new Map<string, { revision: number; state: string; suspenseReason: string | null }>();
  for (const { event } of facts.of('billing.events.v1', 'usage.recorded.v1')) {
    const id = keyOf(event.data.messageRef, event.data.participant);
    if ((latest.get(id)?.revision ?? 0) < event.data.revision) latest.set(id, event.data);
  }
  const charges = facts.world.charges.map((charge) => {
    const references = facts.referencesOf(charge.phoneNumberId);
    return {
      ...charge,
      id: keyOf(
        references.messageRef(charge.phoneNumberId, charge.wamid),
        charge.participant === null ? '-' : references.participantRef(charge.participant),
      ),
    };
  });
  found.expectSameSet(
    'usage',
    charges.map((charge) => charge.id),
    'the simulator',
    latest.keys(),
    'the log',
  );
  for (const [id, usage] of latest)
    found.expect(usage.state !== 'suspense', `usage ${id} is in suspense: ${usage.suspenseReason}`);

  let amount = 0n;
  for (const tenant of facts.context.tenants) {
    const clerk = facts.day.people.get(tenant.billing.username);
    if (!clerk) throw new RangeError(`${tenant.billing.username} is not signed in`);
    const accounts = new Set(
      facts.context.numbers.filter((number) => number.tenantId === tenant.tenantId).map((number) => number.wabaId),
    );
    const expected = groupBy(
      charges.filter((charge) => accounts.has(charge.wabaId)),
      (charge) => `${charge.wabaId}/${charge.month}`,
    );
    const { body: list } = await clerk.get<z.infer<typeof StatementList>>('/v1/statements');
    found.expectSameSet(
      `statements of ${tenant.name}`,
      expected.keys(),
      'the simulator',
      list.items.map((item) => `${item.wabaId}/${item.month}`),
      'the platform',
    );
    for (const [account, ofMonth] of expected) {
      const { body: statement } = await clerk.get<Statement>(`/v1/statements/${account}`);
      const due = ofMonth.reduce((total, charge) => total + BigInt(charge.amountNano), 0n);
      amount += due;
      found.expect(
        statement.total.quantity === ofMonth.length,
        `${account}: ${statement.total.quantity} messages, the simulator says ${ofMonth.length}`,
      );
      found.expect(
        BigInt(statement.total.amount) === due,
        `${account}: ${statement.total.amount} nano-units, the simulator says ${due}`,
      );
      const parts = statement.lines.reduce((total, line) => total + BigInt(line.amount), 0n);
      found.expect(
        parts === BigInt(statement.total.amount),
        `${account}: the lines add up to ${parts}, not to ${statement.total.amount}`,
      );
    }
  }
  return {
    figures: {
      usageRecords: latest.size,
      charged: charges.filter((charge) => charge.amountNano !== '0').length,
      free: charges.filter((charge) => charge.amountNano === '0').length,
      amountNano: amount.toString(),
    },
    problems: found.list,
  };
};
