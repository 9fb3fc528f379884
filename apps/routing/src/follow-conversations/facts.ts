import type { Tx } from '@centralita/event-store';

/**
 * What routing keeps of a conversation: the parts that no later event repeats (number, language) and the window as of now, which a
 * transfer or a reopening brings along.
 */
export type ConversationFact = {
  readonly conversationId: string;
  readonly subjectId: string;
  readonly phoneNumberId: string;
  readonly ordinal: number;
  readonly language: string | null;
  readonly windowExpiresAt: number | null;
};

type Row = {
  conversation_id: string;
  subject_id: string;
  phone_number_id: string;
  ordinal: number;
  language: string | null;
  window_expires_at: string | null;
};

/** Facts of the conversations, and of all conversations of the subjects, that a batch speaks of. */
export const loadFacts = async (
  tx: Tx,
  conversationIds: readonly string[],
  subjectIds: readonly string[],
): Promise<ConversationFact[]> => {
  const rows = await tx.query<Row>(
    `select conversation_id, subject_id, phone_number_id, ordinal, language, window_expires_at from conversation_fact
      where tenant_id = $1 and conversation_id = any ($2)
     union
     select conversation_id, subject_id, phone_number_id, ordinal, language, window_expires_at from conversation_fact
      where tenant_id = $1 and subject_id = any ($3)`,
    [tx.tenantId, conversationIds, subjectIds],
  );
  return rows.map((row) => ({
    conversationId: row.conversation_id,
    subjectId: row.subject_id,
    phoneNumberId: row.phone_number_id,
    ordinal: row.ordinal,
    language: row.language,
    windowExpiresAt: row.window_expires_at === null ? null : Number(row.window_expires_at),
  }));
};

export const saveFacts = async (tx: Tx, facts: readonly ConversationFact[]): Promise<void> => {
  if (facts.length === 0) return;
  await tx.execute(
    `insert into conversation_fact (tenant_id, conversation_id, subject_id, phone_number_id, ordinal, language, window_expires_at)
     select $1, * from unnest($2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::text[], $7::bigint[])
     on conflict (tenant_id, conversation_id) do update set window_expires_at = excluded.window_expires_at`,
    [
      tx.tenantId,
      facts.map((fact) => fact.conversationId),
      facts.map((fact) => fact.subjectId),
      facts.map((fact) => fact.phoneNumberId),
      facts.map((fact) => fact.ordinal),
      facts.map((fact) => fact.language),
      facts.map((fact) => fact.windowExpiresAt),
    ],
  );
};
