/**
 * What commands on one service did that another has to know before it is asked: accepting an offer assigns a conversation at routing, and
 * the conversation service learns of it a moment later. By conversation id; sent along with every look at it.
 */
const tokens = new Map<string, string>();

export const noteCause = (conversationId: string, token: string | null): void => {
  if (token !== null) tokens.set(conversationId, token);
};

export const causeOf = (conversationId: string): string | null => tokens.get(conversationId) ?? null;
