import { millis } from '../time.js';
import { windowExpiresAt, type WindowState } from '../window/window.js';

export type ReplyRuleInput = {
  readonly now: string;
  readonly window: WindowState;
  /** Who works on the conversation now; null when nobody does. */
  readonly assignment: { readonly agentId: string | null };
  readonly state: 'open' | 'closed';
  readonly actor: { readonly id: string };
};

export type ReplyRule =
  | { readonly may: 'text'; readonly because: null; /** instant at which the window closes */ readonly until: string }
  | { readonly may: 'template'; readonly because: 'WINDOW_CLOSED' | 'WINDOW_NEVER_OPENED' }
  | { readonly may: 'no'; readonly because: 'CONVERSATION_CLOSED' | 'NOT_ASSIGNED' };

/**
 * The one rule of replies: only the assigned agent answers, only in an open case, in free text only while the customer service
 * window is open (up to and not at its expiry), else by an approved template. Inbound messages never take the right away: an album must not refuse an answer.
 */
export const mayReply = ({ now, window, assignment, state, actor }: ReplyRuleInput): ReplyRule => {
  if (state === 'closed') return { may: 'no', because: 'CONVERSATION_CLOSED' };
  if (assignment.agentId !== actor.id) return { may: 'no', because: 'NOT_ASSIGNED' };
  const until = windowExpiresAt(window);
  if (until === null) return { may: 'template', because: 'WINDOW_NEVER_OPENED' };
  return millis(now) < millis(until) ? { may: 'text', because: null, until } : { may: 'template', because: 'WINDOW_CLOSED' };
};
