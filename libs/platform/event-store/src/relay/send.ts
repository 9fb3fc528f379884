import { isPlatformError, type PlatformError } from '@centralita/contracts';
import type { EventLog } from '@centralita/event-log';
import type { HeadPlan } from './pass.js';

/**
 * One append for all. Only when the log refuses it for good, head by head, so that one bad record blocks its own key alone: `onRefused`
 * gets it. Returns the heads that are on the log; throws what passes.
 */
export const sendHeads = async (
  log: Pick<EventLog, 'append'>,
  heads: readonly HeadPlan[],
  onRefused: (head: HeadPlan, error: PlatformError) => void,
): Promise<readonly HeadPlan[]> => {
  try {
    await log.append(heads.flatMap(({ records }) => records));
    return heads;
  } catch (error) {
    if (!isPlatformError(error) || error.retryable) throw error;
  }
  const sent: HeadPlan[] = [];
  for (const head of heads) {
    try {
      await log.append(head.records);
      sent.push(head);
    } catch (error) {
      if (!isPlatformError(error) || error.retryable) throw error;
      onRefused(head, error);
    }
  }
  return sent;
};
