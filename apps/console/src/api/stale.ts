import type { LivePointer } from './live.js';

/** What may be shown and be old: the agent's own desk, the list, the open conversation as a whole, or only what its replies became. */
export type Stale = 'desk' | 'list' | 'conversation' | 'statuses';

/** What stands on the screen, as far as pointers can tell. */
export type Shown = {
  /** The open conversation with the stream of its task. */
  readonly open: { readonly conversation: string; readonly task: string } | null;
  /** The own conversations and nothing else: then only what happens to one of the rows is news. */
  readonly onlyMine: boolean;
  /** Is there a row of this conversation? */
  readonly listed: (conversation: string) => boolean;
};

/** Of routing's events, those that say nothing about anybody's desk. */
const beforeAnyDesk = /^(?:task\.queued|routing\.decided|queue\.defined|routing\.policy\.published)\./;
/** Of routing's events, those by which a conversation enters or leaves a view. */
const moves = /^task\.(?:queued|assigned|transferred|released|completed)\./;

/**
 * What a pointer makes old. As little as possible: whatever is asked again with customer data in it is a record in the ledger. The own
 * list follows the own desk (an assignment of somebody else is no news there), and a reply's fate is not in any list.
 */
export const staleBy = ({ service, type, streamId }: LivePointer, { open, onlyMine, listed }: Shown): readonly Stale[] => {
  if (type === 'conversation.reply.status') return streamId === open?.conversation ? ['statuses'] : [];
  const stale: Stale[] = [];
  if (service === 'routing') {
    if (!beforeAnyDesk.test(type)) stale.push('desk');
    if (!onlyMine && moves.test(type)) stale.push('list');
    if (streamId === open?.task && moves.test(type)) stale.push('conversation');
    return stale;
  }
  if (!onlyMine || listed(streamId)) stale.push('list');
  if (streamId === open?.conversation) stale.push('conversation');
  return stale;
};
