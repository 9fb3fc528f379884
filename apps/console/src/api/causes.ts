/**
 * What commands on one service did that another has to know before it is asked: accepting an offer assigns a conversation at routing, and
 * the conversation service learns of it a moment later. By conversation id; sent along with every look at it. The newest goes with the
 * list of the own conversations too.
 */
const tokens = new Map<string, string>();
let newest: string | null = null;

export const noteCause = (conversationId: string, token: string | null): void => {
  if (token === null) return;
  tokens.set(conversationId, token);
  newest = token;
};

export const causeOf = (conversationId: string): string | null => tokens.get(conversationId) ?? null;
export const newestCause = (): string | null => newest;
