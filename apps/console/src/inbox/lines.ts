import type { ThreadItem } from '@centralita/contracts';

export type Reaction = { readonly emoji: string; readonly from: 'customer' | 'us' };
export type Line =
  | { readonly kind: 'day'; readonly id: string; readonly at: string }
  | { readonly kind: 'item'; readonly id: string; readonly item: ThreadItem; readonly reactions: readonly Reaction[] };

const ladder = ['requested', 'attempted', 'accepted', 'sent', 'delivered', 'read'] as const;
type Status = NonNullable<ThreadItem['status']>;
const terminal = (status: Status): boolean => status === 'failed' || status === 'refused';
const rung = (status: Status): number => (ladder as readonly string[]).indexOf(status);

/** The further of two statuses: a late "sent" never takes back a "read", and a failure is final. */
export const furtherStatus = (before: Status, after: Status): Status => {
  if (terminal(before)) return before;
  if (terminal(after)) return after;
  if (before === 'unknown' || after === 'unknown') return before === 'unknown' ? after : before;
  return rung(after) >= rung(before) ? after : before;
};

const dayOf = (instant: string): string => new Date(instant).toDateString();

/**
 * What a thread shows, oldest first: a line at each new day of the viewer, reactions with the message that they are about. A reaction
 * without words takes an earlier one back; one to a message that is not loaded stays a line.
 */
export const linesOf = (items: readonly ThreadItem[]): Line[] => {
  const refs = new Set(items.flatMap(({ messageRef, reactionTo }) => (messageRef && !reactionTo ? [messageRef] : [])));
  const reactions = new Map<string, Map<string, Reaction>>();
  for (const item of items) {
    if (item.reactionTo === null || !refs.has(item.reactionTo)) continue;
    const known = reactions.get(item.reactionTo) ?? new Map<string, Reaction>();
    const who = `${item.kind} ${item.sender ?? ''}`;
    known.delete(who);
    if (item.text) known.set(who, { emoji: item.text, from: item.kind === 'inbound' ? 'customer' : 'us' });
    reactions.set(item.reactionTo, known);
  }
  const lines: Line[] = [];
  let day = '';
  for (const item of items) {
    if (item.reactionTo !== null && refs.has(item.reactionTo)) continue;
    if (dayOf(item.at) !== day) {
      day = dayOf(item.at);
      lines.push({ kind: 'day', id: `day ${day}`, at: item.at });
    }
    const own = item.messageRef === null ? undefined : reactions.get(item.messageRef);
    lines.push({ kind: 'item', id: item.id, item, reactions: own ? [...own.values()] : [] });
  }
  return lines;
};
