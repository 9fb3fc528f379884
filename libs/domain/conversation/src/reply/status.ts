/** Steps of a reply, from asked for to read. Later in the list wins; the last two are terminal. */
export const REPLY_LADDER = [
  'requested',
  'attempted',
  'unknown',
  'accepted',
  'sent',
  'delivered',
  'read',
  'refused',
  'failed',
] as const;
export type ReplyStatus = (typeof REPLY_LADDER)[number];

/** Where a reply stands; `code` says why it was refused or failed: our reason or the provider's error code. */
export type ReplyProgress = { readonly status: ReplyStatus; readonly code: string | null };
export const requested: ReplyProgress = { status: 'requested', code: null };

const rank = (status: ReplyStatus): number => REPLY_LADDER.indexOf(status);

/**
 * Puts two pieces of evidence about one reply together: the higher step wins, so it never goes backwards, and statuses may come
 * before the provider's answer to the send or in any order. Of two reasons for the same step the lesser code stays, whichever came
 * first.
 */
export const mergeProgress = (left: ReplyProgress, right: ReplyProgress): ReplyProgress => {
  if (left.status !== right.status) return rank(left.status) > rank(right.status) ? left : right;
  if (left.code === null || right.code === null) return left.code === null ? right : left;
  return left.code <= right.code ? left : right;
};

/**
 * What a provider status says; null for a status that no release knows. A message to a group fails for one participant while
 * others read it, so a participant's failure says nothing about the message.
 */
export const progressOfStatus = (evidence: {
  readonly status: string;
  readonly participant: string;
  readonly errorCodes: readonly number[];
}): ReplyProgress | null => {
  switch (evidence.status) {
    case 'sent':
    case 'delivered':
    case 'read':
      return { status: evidence.status, code: null };
    case 'played':
      return { status: 'read', code: null };
    case 'failed':
      return evidence.participant === '-' ? { status: 'failed', code: evidence.errorCodes[0]?.toString() ?? null } : null;
    default:
      return null;
  }
};

/** The provider's error for a free text outside the window; it overrules our clock. */
export const WINDOW_CLOSED_ERROR = 131047;
