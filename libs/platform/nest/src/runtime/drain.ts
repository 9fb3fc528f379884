import { PlatformError } from '@centralita/contracts';
import { describeError, type Logger } from '../logger.js';

/**
 * The order in which a process lets go. A later phase may use what an earlier one still needs, never the other way round:
 * 1. `readiness`  no new traffic is sent here. If skipped: requests arrive at a closed door.
 * 2. `accept`     stop listening, answer what is under way. If it fails: callers see a broken connection and repeat, harmlessly.
 * 3. `consume`    stop taking records, finish the batch under way, leave the group. If it fails: the batch is applied again, once.
 * 4. `flush`      batcher: what was promised to a caller reaches the log. If it fails: the caller never got its 200.
 * 5. `relay`      publish what is committed, give the leases back. If it fails: the next instance publishes it.
 * 6. `close`      producers, pools, keyring.
 * 7. `telemetry`  last spans and metrics, the health port.
 */
export const drainPhases = ['readiness', 'accept', 'consume', 'flush', 'relay', 'close', 'telemetry'] as const;
export type DrainPhase = (typeof drainPhases)[number];
type Step = { readonly phase: DrainPhase; readonly name: string; readonly run: () => Promise<void> | void };

export type DrainOptions = {
  /** Longest time of one step. @default 10000 */
  readonly phaseTimeoutMs?: number;
  /**
   * Longest time of all of it: whoever ends the process for good waits a little longer. What is left of it is shared by what is left to
   * do, so that telemetry is not reached too late. @default 25000
   */
  readonly totalMs?: number;
};

/** The least that a step gets, however late it is: most are done at once. */
const LEAST_MS = 250;

/** Runs each step once, phase by phase, each within its time. A step that fails or hangs is logged and left behind. */
export class DrainController {
  readonly #steps: Step[] = [];
  readonly #started = new AbortController();
  #done: Promise<boolean> | null = null;

  constructor(
    private readonly logger: Logger,
    private readonly options: DrainOptions = {},
  ) {}

  /** Aborted when the drain begins: ends long polls and streams. */
  get signal(): AbortSignal {
    return this.#started.signal;
  }

  get draining(): boolean {
    return this.#done !== null;
  }

  /** Between the steps of a start: throws DRAINING when there is nothing left to start for. */
  check(): void {
    if (this.draining) throw new PlatformError('DRAINING', 'the process ends before it has started');
  }

  add(phase: DrainPhase, name: string, run: () => Promise<void> | void): void {
    this.#steps.push({ phase, name, run });
  }

  /** True when every step ended well. Calling it again gives the same run. */
  drain(reason: string): Promise<boolean> {
    this.#done ??= this.#run(reason);
    return this.#done;
  }

  async #run(reason: string): Promise<boolean> {
    this.logger.info({ reason }, 'draining');
    this.#started.abort();
    const deadline = performance.now() + (this.options.totalMs ?? 25_000);
    let clean = true;
    for (const phase of drainPhases) {
      // Inside a phase the step that was added last goes first: it was built on the earlier ones.
      const steps = this.#steps.filter((step) => step.phase === phase).reverse();
      for (const step of steps) clean = (await this.#within(step, deadline)) && clean;
    }
    this.logger.info({ clean }, 'drained');
    return clean;
  }

  async #within(step: Step, deadline: number): Promise<boolean> {
    const left = Math.max(LEAST_MS, Math.round(deadline - performance.now()));
    const limit = Math.min(this.options.phaseTimeoutMs ?? 10_000, left);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), limit);
    });
    try {
      const outcome = await Promise.race([Promise.resolve(step.run()), late]);
      if (outcome === 'late')
        this.logger.error({ step: step.name, phase: step.phase, limit }, 'a step of the drain took too long');
      return outcome !== 'late';
    } catch (error) {
      this.logger.error({ step: step.name, phase: step.phase, err: describeError(error) }, 'a step of the drain failed');
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * How a process ends, from its first moment on: to be called before anything is built or waited for.
 *
 * SIGTERM and SIGINT drain once and exit 0, or 1 when a step failed; a second signal ends the process at once, as without a handler.
 * What nobody has handled is logged, drains too (what was promised is kept where that still works), and exits 1: a state that nobody
 * understands is not worth going on with, and the supervisor starts a clean process.
 */
export const drainOnSignals = (
  drain: DrainController,
  logger: Logger,
  exit: (code: number) => void = (code) => process.exit(code),
): void => {
  let failed = false;
  const end = (reason: string): void => void drain.drain(reason).then((clean) => exit(clean && !failed ? 0 : 1));
  const crash =
    (kind: string) =>
    (error: unknown): void => {
      failed = true;
      logger.fatal({ err: describeError(error), kind }, 'unexpected failure');
      end(kind);
    };
  process.once('SIGTERM', () => end('SIGTERM'));
  process.once('SIGINT', () => end('SIGINT'));
  process.on('unhandledRejection', crash('unhandledRejection'));
  process.on('uncaughtException', crash('uncaughtException'));
};
