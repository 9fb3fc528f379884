import { setTimeout as pause } from 'node:timers/promises';
import { isPlatformError, PlatformError } from '@centralita/contracts';
import type { Logger } from '../logger.js';
import { describeError } from '../logger.js';
import type { Health } from './health.js';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;

/** One sentence about what a check has run into. Messages of foreign errors may hold what they failed on, so theirs are not told. */
export const sentenceOf = (what: string, error: unknown): string => {
  if (isPlatformError(error)) {
    const { errno, code, sqlState } = error.details as { errno?: string; code?: string; sqlState?: string };
    return `${what}: ${error.message} (${errno ?? code ?? sqlState ?? error.code})`;
  }
  const { code } = describeError(error) as { code?: string };
  return `${what} (${code ?? 'unknown'})`;
};

/**
 * What a process needs around it before it can work: a schema that fits, a log, topics, a key provider. While something is missing the
 * process neither ends nor serves: it is live and started, not ready, says why in one sentence (in its log once, in `/health/ready` as
 * long as it holds), and looks again until it is there.
 */
export class Surroundings {
  readonly #health: Pick<Health, 'hold'>;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;

  constructor(options: { readonly health: Pick<Health, 'hold'>; readonly logger: Logger; readonly signal: AbortSignal }) {
    this.#health = options.health;
    this.#logger = options.logger;
    this.#signal = options.signal;
  }

  /** Resolves when `look` finds nothing wrong; it gives null or a sentence. Throws DRAINING when the process is to end. */
  async until(check: string, look: () => Promise<string | null>, meanwhile = 'no answer yet'): Promise<void> {
    const signal = this.#signal;
    this.#health.hold(check, meanwhile);
    const aborted = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(stopped(check)), { once: true }),
    );
    aborted.catch(() => undefined);
    let told = '';
    for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      if (signal.aborted) throw stopped(check);
      const problem = await Promise.race([look(), aborted]);
      this.#health.hold(check, problem);
      if (problem === null) break;
      if (problem !== told) this.#logger.warn({ check }, `waiting: ${problem}`);
      told = problem;
      await pause(wait, undefined, { signal }).catch(() => undefined);
    }
    if (told !== '') this.#logger.info({ check }, 'waited for, and there now');
  }
}

const stopped = (check: string): PlatformError => new PlatformError('DRAINING', `stopped while waiting for ${check}`);
