import type { ConversationDetail } from '@centralita/contracts';

/** How the customer may be answered now: as the server said, but never as free text after the window that it named. */
export const replyMode = (
  detail: Pick<ConversationDetail, 'mayReply' | 'windowExpiresAt'>,
  now: number,
): ConversationDetail['mayReply'] => {
  if (detail.mayReply !== 'text' || detail.windowExpiresAt === null) return detail.mayReply;
  return Date.parse(detail.windowExpiresAt) > now ? 'text' : 'template';
};
