import { InboxQuery } from '@centralita/contracts';
import type { Viewer } from '@centralita/domain-conversation';
import type { Tx } from '@centralita/event-store';
import { z } from 'zod';
import type { AssignmentRow } from '../record/assignments.js';
import { decodeCursor, encodeCursor } from '../record/cursor.js';
import { readRows } from '../record/rows.js';
import { CONVERSATION_COLUMNS, type ConversationRow } from './projection.js';

/** A conversation with what stands in other folds: its window and its assignment. */
export type ListedConversation = ConversationRow &
  Omit<AssignmentRow, 'version' | 'seen'> & {
    readonly assignment_seen: number;
    readonly expires_at: string | null;
    readonly window_opened_at: string | null;
    readonly window_contradicted_at: string | null;
    readonly assignment_version: number;
  };

type View = z.output<typeof InboxQuery>['view'];
type Sort = z.output<typeof InboxQuery>['sort'];

/** `asOf` holds the first page's idea of which windows are over, so that later pages sort alike. */
const InboxCursor = z.object({ sort: InboxQuery.shape.sort, key: z.string(), id: z.uuid(), asOf: z.string() });

const columns = `${CONVERSATION_COLUMNS.map((column) => `c.${column}`).join(', ')},
  l.expires_at, l.opened_at as window_opened_at, l.contradicted_at as window_contradicted_at,
  a.queue_id, a.agent_id, a.last_agent_id, a.offered_agent_id,
  case when c.status = 'open' and a.agent_id is null then coalesce(a.waiting_since, c.opened_at) end as waiting_since,
  coalesce(a.version, 0) as assignment_version, coalesce(a.seen, 0) as assignment_seen`;
const source = `conversation c
  left join assignment a on a.tenant_id = c.tenant_id and a.conversation_id = c.conversation_id
  left join service_window l on l.tenant_id = c.tenant_id and l.phone_number_id = c.phone_number_id and l.subject_id = c.subject_id`;

// Who wraps up still has the place, and the offer dock shows it; the list shows what is left to do, and a resolved case is not.
const views: Record<View, string> = {
  mine: `c.status = 'open' and a.agent_id = $2`,
  unassigned: `c.status = 'open' and a.agent_id is null`,
  all: `c.status = 'open'`,
  closed: `c.status = 'closed'`,
};

/** Queues of an agent, by the parameter that names the agent. */
const queuesOf = (agent: string): string =>
  `coalesce((select g.queue_ids from agent g where g.tenant_id = $1 and g.agent_id = ${agent}), '{}')`;

// The same rule as `rightToLook` of the domain, as a filter: what nobody may see is never read.
const scope = `($3 or a.agent_id = $2 or a.offered_agent_id = $2
  or (c.status = 'open' and a.agent_id is null and a.queue_id = any (${queuesOf('$2')}))
  or (c.status = 'closed' and a.agent_id is null and a.last_agent_id = $2))`;

// What waits for nobody, or has no open window, comes last.
const sorts: Record<Sort, { readonly key: string; readonly direction: 'asc' | 'desc' }> = {
  recent: { key: `c.last_at`, direction: 'desc' },
  wait: {
    key: `case when c.status = 'open' and a.agent_id is null then coalesce(a.waiting_since, c.opened_at) else 'infinity' end`,
    direction: 'asc',
  },
  window: { key: `case when l.expires_at > $4::timestamptz then l.expires_at else 'infinity' end`, direction: 'asc' },
};

/** One page of the inbox: what this viewer may see of a view, in keyset order. */
export const listInbox = async (
  tx: Tx,
  viewer: Omit<Viewer, 'queueIds'>,
  query: z.output<typeof InboxQuery>,
  now: string,
): Promise<{ rows: ListedConversation[]; nextCursor: string | null }> => {
  const after = query.cursor === undefined ? null : decodeCursor(InboxCursor, query.cursor);
  // What is closed neither waits nor hurries, and its list grows for ever: only the order that has an index is offered.
  const sort = query.view === 'closed' ? 'recent' : (after?.sort ?? query.sort);
  const asOf = after?.asOf ?? now;
  const { key, direction } = sorts[sort];
  const rows = await readRows<ListedConversation & { sort_key: string }>(
    tx,
    `select ${columns}, (${key})::text as sort_key from ${source}
     where c.tenant_id = $1 and ${views[query.view]} and ${scope} and $4::timestamptz is not null
       ${after ? `and ((${key}), c.conversation_id) ${direction === 'asc' ? '>' : '<'} ($6::timestamptz, $7::uuid)` : ''}
     order by ${key} ${direction}, c.conversation_id ${direction} limit $5`,
    [tx.tenantId, viewer.id, viewer.supervisor, asOf, query.limit + 1, ...(after ? [after.key, after.id] : [])],
  );
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const nextCursor =
    rows.length > query.limit && last ? encodeCursor({ sort, key: last.sort_key, id: last.conversation_id, asOf }) : null;
  return { rows: page, nextCursor };
};

/** One conversation with its window and assignment, and the queues of the agent who asks; null when there is none. */
export const readConversation = async (
  tx: Tx,
  conversationId: string,
  agentId: string,
): Promise<(ListedConversation & { readonly queues_of_agent: readonly string[] }) | null> => {
  const [row] = await readRows<ListedConversation & { queues_of_agent: string[] }>(
    tx,
    `select ${columns}, ${queuesOf('$3')} as queues_of_agent from ${source} where c.tenant_id = $1 and c.conversation_id = $2`,
    [tx.tenantId, conversationId, agentId],
  );
  return row ?? null;
};
