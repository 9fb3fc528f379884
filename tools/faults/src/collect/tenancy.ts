import { Topics } from '@centralita/contracts';
import type { History } from '@centralita/testing-kit';
import type { Facts } from '@centralita/tool-start';
import { withAdmin } from './instruments.js';

/** Every record and every message row lies under the tenant whose subject, number and account it names. */
export const belongingsOf = async (facts: Facts): Promise<History['belongings']> => {
  const ownerOfNumber = new Map(facts.context.numbers.map(({ phoneNumberId, tenantId }) => [phoneNumberId, tenantId]));
  const ownerOfSubject = await withAdmin(facts.context, 'ingest', async (client) => {
    const { rows } = await client.query<{ tenant_id: string; subject_id: string }>(
      'select distinct tenant_id, subject_id from identity',
    );
    return new Map(rows.map((row) => [row.subject_id, row.tenant_id]));
  });
  return Topics.flatMap((topic) =>
    facts.all(topic).flatMap(({ event, key, partition, offset }) => {
      const { phoneNumberId } = (event.data ?? {}) as { phoneNumberId?: string | null };
      const owner = ownerOfSubject.get(key) ?? (phoneNumberId ? ownerOfNumber.get(phoneNumberId) : undefined);
      return owner === undefined ? [] : [{ what: `${topic}/${partition}/${offset}`, owner, under: event.tenantid }];
    }),
  );
};
