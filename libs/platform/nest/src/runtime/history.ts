import { setTimeout as pause } from 'node:timers/promises';
import { isPlatformError, PlatformError, type ErrorCode } from '@centralita/contracts';
import type { EventLog } from '@centralita/event-log';
import { requireLogHoldsPositions, type Database, type Relay } from '@centralita/event-store';
import { describeError, type Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import type { Health } from './health.js';

const RETRY_MS = 500;
/** A broker that has just begun to lead may tell an end from before what was applied: looked at for so long before it is believed. */
const SURE_AFTER_MS = 6_000;

export type HistoryOptions = {
  readonly db: Database;
  readonly log: Pick<EventLog, 'admin'>;
  /** Not started yet; null for a process that publishes nothing from its store. */
  readonly relay: Pick<Relay, 'start' | 'opened'> | null;
  readonly health: Health;
  readonly metrics: Pick<Metrics, 'alarms'>;
  readonly logger: Logger;
  /** Of the drain: the only end of a process that stays closed. */
  readonly signal: AbortSignal;
  /** For how long an end before what was applied is not believed. @default 6000 */
  readonly sureAfterMs?: number;
};

/**
 * Resolves when the database and the log of a process tell one history; then the relay runs. Until then nothing may be consumed, published
 * or promised to anybody:
 * - the log ends before what was applied, or is another one (LOG_BEHIND_STORE, TOPIC_MISMATCH): what is written to it would be missing
 *   from the right one;
 * - the database does not know what it has published (STORE_BEHIND_LOG): what it accepts would be gone with the right one.
 *
 * Then the process stays closed, not ready, and counted as an alarm, until it is stopped: throws DRAINING. A log or a database that does not
 * answer is waited for.
 */
export const untilHistoryAgrees = async (options: HistoryOptions): Promise<void> => {
  const { relay, health, metrics, logger, signal } = options;
  const [part, code] = (await positionsDisagree(options)) ?? (await relayDisagrees(relay, signal)) ?? [null, null];
  if (signal.aborted) throw stopped();
  if (part === null) return;
  // The relay has counted its own alarm.
  if (part !== 'relay') metrics.alarms.inc({ part, code });
  health.add('history', () => code);
  logger.fatal({ code, part }, 'closed: database and log do not belong together; put the right one back and start again');
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw stopped();
};

type Disagreement = readonly [part: 'log' | 'relay', code: ErrorCode];

const positionsDisagree = async (options: HistoryOptions): Promise<Disagreement | null> => {
  const { db, log, logger, signal, sureAfterMs = SURE_AFTER_MS } = options;
  let told = '';
  for (const began = performance.now(); !signal.aborted;) {
    try {
      await requireLogHoldsPositions(db, log);
      return null;
    } catch (error) {
      const code = isPlatformError(error) ? error.code : null;
      if (code === 'TOPIC_MISMATCH' || (code === 'LOG_BEHIND_STORE' && performance.now() - began >= sureAfterMs)) {
        logger.error({ err: describeError(error) }, 'stored positions are not on the log');
        return ['log', code];
      }
      const waiting = code ?? 'unknown';
      if (waiting !== told) logger.warn({ waiting }, 'stored positions cannot be compared with the log yet');
      told = waiting;
    }
    await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
};

const relayDisagrees = async (relay: HistoryOptions['relay'], signal: AbortSignal): Promise<Disagreement | null> => {
  if (signal.aborted || relay === null) return null;
  relay.start();
  const aborted = new Promise<true>((resolve) => signal.addEventListener('abort', () => resolve(true), { once: true }));
  return (await Promise.race([relay.opened, aborted])) ? null : ['relay', 'STORE_BEHIND_LOG'];
};

const stopped = (): PlatformError => new PlatformError('DRAINING', 'stopped before database and log were known to agree');
