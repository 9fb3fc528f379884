import { decodeEvent, isType } from '@centralita/contracts';
import type { History } from '@centralita/testing-kit';
import type { Facts } from '@centralita/tool-start';
import { withAdmin } from './instruments.js';

/** What billing's fold counts as evidence of a charge. */
export const isEvidence = (status: string): boolean => ['delivered', 'read', 'played'].includes(status);

/** Records that are no event that anybody knows. */
export const unreadableOf = ({ unreadable }: Facts): History['unreadable'] =>
  unreadable.map(({ topic, partition, offset, givenUp }) => ({ topic, partition, offset: Number(offset), givenUp }));

/** Evidence that lies parked in billing: it is not rated, and not lost. */
export const parkedEvidence = (facts: Facts): Promise<History['ratings']> =>
  withAdmin(facts.context, 'billing', async (client) => {
    const { rows } = await client.query<{ value: Buffer | null }>(`select value from parked_record where state = 'parked'`);
    const found = new Set<string>();
    for (const { value } of rows) {
      const decoded = value === null ? null : decodeEvent(value);
      if (decoded === null || !('event' in decoded) || !isType(decoded.event, 'whatsapp.status.changed.v1')) continue;
      const { tenantid, data } = decoded.event;
      if (isEvidence(data.status)) found.add(`${tenantid}/${data.messageRef}/${data.participant}`);
    }
    return [...found].map((evidence) => ({ evidence, as: 'parked' as const }));
  });
