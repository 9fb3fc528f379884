import type { PlatformFigures, PlatformProcess, PlatformProcessView, PlatformStage } from '@centralita/contracts';
import { PlatformStages } from '@centralita/contracts';
import { growth, quantile, type Buckets, type Scrape } from './figures.js';
import { History, STEP_MS, type Point, type StagePoint } from './history.js';
import { probe as ask, type Finding, type Probe } from './probe.js';
import type { PlatformTarget } from './targets.js';

const INTERVAL_MS = 5000;
const RATE_WINDOW_MS = 60_000;
/** Webhooks come in bursts: a quantile over one minute would be one delivery's luck. */
const ACK_WINDOW_MS = 300_000;

/** Whose figures a stage shows. */
const processOf = (stage: PlatformStage): PlatformProcess => (stage === 'webhook' ? 'ingest-webhook' : stage);

type Seen = { readonly at: number; readonly scrape: Scrape };
type Watched = {
  readonly target: PlatformTarget;
  finding: Finding | null;
  since: number;
  answeredAt: number | null;
  /** As far back as the longest window needs; what could not be read is left out. */
  recent: Seen[];
};

const largest = (values: readonly (number | null | undefined)[]): number | null => {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.length === 0 ? null : Math.max(...known);
};
const sum = (values: readonly (number | null | undefined)[]): number | null => {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
};
const instant = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export type SamplerOptions = {
  readonly probe?: Probe;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
};

/**
 * Looks at every process every five seconds, whoever asks and however often, and keeps what the page of the platform team draws: half an
 * hour, in memory, of this gateway alone. For one machine or a small installation; a fleet has Prometheus.
 */
export class PlatformSampler {
  readonly #watched: readonly Watched[];
  readonly #probe: Probe;
  readonly #now: () => number;
  readonly #history = new History();
  readonly #stopped = new AbortController();
  #sampledAt: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(targets: readonly PlatformTarget[], { probe = ask, now = Date.now }: SamplerOptions = {}) {
    this.#probe = probe;
    this.#now = now;
    this.#watched = targets.map((target) => ({ target, finding: null, since: now(), answeredAt: null, recent: [] }));
  }

  start(): void {
    const began = this.#now();
    void this.round().finally(() => {
      if (this.#stopped.signal.aborted) return;
      this.#timer = setTimeout(() => this.start(), Math.max(0, began + INTERVAL_MS - this.#now())).unref();
    });
  }

  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }

  /** One look at all of them, at the same time. */
  async round(): Promise<void> {
    const findings = await Promise.all(this.#watched.map(({ target }) => this.#probe(target, this.#stopped.signal)));
    if (this.#stopped.signal.aborted) return;
    const at = this.#now();
    for (const [index, watched] of this.#watched.entries()) {
      const finding = findings[index] as Finding;
      if (watched.finding?.state !== finding.state) watched.since = at;
      watched.finding = finding;
      if (finding.state !== 'down') watched.answeredAt = at;
      if (finding.scrape !== null) watched.recent.push({ at, scrape: finding.scrape });
      watched.recent = watched.recent.filter((seen) => seen.at >= at - ACK_WINDOW_MS);
    }
    this.#sampledAt = at;
    this.#history.add(this.#point(at));
  }

  figures(): PlatformFigures {
    const at = this.#sampledAt ?? this.#now();
    const now = this.#point(at, RATE_WINDOW_MS);
    const all = this.#watched.map(({ finding }) => finding?.scrape);
    const ack = this.#ack(ACK_WINDOW_MS);
    // Instances of one service look at the same tables: their figures are one, not to be added.
    const ofEachProcess = (of: (scrape: Scrape) => number | null): (number | null)[] =>
      [...Map.groupBy(this.#watched, ({ target }) => target.process).values()].map((instances) =>
        largest(instances.map(({ finding }) => finding?.scrape && of(finding.scrape))),
      );
    return {
      configured: true,
      sampledAt: instant(this.#sampledAt),
      stepSeconds: STEP_MS / 1000,
      processes: this.#watched.map((watched) => ({ ...viewOf(watched), ...this.#lag(watched.target.process) })),
      stages: PlatformStages.map((stage) => ({
        stage,
        ...now.stages[stage],
        ...this.#outbox(stage),
        history: {
          perSecond: this.#history.mean(at, (point) => point.stages[stage].perSecond),
          lagSeconds: this.#history.worst(at, (point) => point.stages[stage].lagSeconds),
        },
      })),
      webhook: {
        ackP50Seconds: quantile(ack, 0.5),
        ackP99Seconds: quantile(ack, 0.99),
        signatureFailures:
          this.#increase('ingest-webhook', ({ signatureFailures }) => signatureFailures, ACK_WINDOW_MS)?.by ?? null,
        windowSeconds: ACK_WINDOW_MS / 1000,
        history: { ackP99Seconds: this.#history.worst(at, ({ ackP99Seconds }) => ackP99Seconds) },
      },
      parked: {
        keys: sum(ofEachProcess(({ parkedKeys }) => parkedKeys)),
        oldestSeconds: largest(all.map((scrape) => (scrape?.parkedKeys ? scrape.parkedOldestSeconds : null))),
      },
      audit: {
        height: largest(all.map((scrape) => scrape?.auditHeight)),
        checkpointAgeSeconds: largest(all.map((scrape) => scrape?.checkpointAgeSeconds)),
        verifyFailures: sum(all.map((scrape) => scrape?.verifyFailures)),
      },
      replay: (['billing', 'ledger'] as const).map((of) => {
        const proofs = all.flatMap((scrape) => scrape?.proofs.filter((proof) => proof.of === of) ?? []);
        const [last] = proofs.sort((one, other) => one.ageSeconds - other.ageSeconds);
        // An age moves on with each look; to the second, the instant stands still.
        const verifiedAt = last ? Math.round(at / 1000 - last.ageSeconds) * 1000 : null;
        return { of, verifiedAt: instant(verifiedAt), equal: last?.equal ?? null };
      }),
    };
  }

  #instances(process: PlatformProcess): readonly Watched[] {
    return this.#watched.filter(({ target }) => target.process === process);
  }

  #point(at: number, windowMs = INTERVAL_MS * 1.5): Point {
    const stages = Object.fromEntries(PlatformStages.map((stage) => [stage, this.#stage(stage, windowMs)])) as Point['stages'];
    return { at, stages, ackP99Seconds: quantile(this.#ack(RATE_WINDOW_MS), 0.99) };
  }

  #stage(stage: PlatformStage, windowMs: number): StagePoint {
    const count = ({ itemsReceived, recordsApplied }: Scrape): number | null =>
      stage === 'webhook' ? itemsReceived : recordsApplied;
    const increase = this.#increase(processOf(stage), count, windowMs);
    return { perSecond: increase && (increase.by / increase.ms) * 1000, ...this.#lag(processOf(stage)) };
  }

  /** A consumer that has stopped says nothing of its lag: then the exporter does, which measures all groups from outside. */
  #lag(group: PlatformProcess): { lagRecords: number | null; lagSeconds: number | null } {
    const lag = (of: 'lagRecords' | 'lagSeconds', process: PlatformProcess): number | null =>
      largest(this.#instances(process).map(({ finding }) => finding?.scrape?.[of].get(group)));
    return {
      lagRecords: lag('lagRecords', group) ?? lag('lagRecords', 'lag-exporter'),
      lagSeconds: lag('lagSeconds', group) ?? lag('lagSeconds', 'lag-exporter'),
    };
  }

  #outbox(stage: PlatformStage): { outboxDepth: number | null; outboxAgeSeconds: number | null } {
    // The webhook writes to the log itself.
    if (stage === 'webhook') return { outboxDepth: null, outboxAgeSeconds: null };
    const scrapes = this.#instances(processOf(stage)).map(({ finding }) => finding?.scrape);
    return {
      outboxDepth: largest(scrapes.map((scrape) => scrape?.outboxDepth)),
      outboxAgeSeconds: largest(scrapes.map((scrape) => scrape?.outboxAgeSeconds)),
    };
  }

  /** Pairs of neighbouring looks at the instances that answer now, within the window. */
  #pairs(process: PlatformProcess, windowMs: number): (readonly [Seen, Seen])[][] {
    const from = (this.#sampledAt ?? 0) - windowMs;
    return this.#instances(process)
      .filter(({ finding }) => finding?.scrape)
      .map(({ recent }) => recent.filter(({ at }) => at >= from))
      .map((seen) => seen.slice(1).map((after, index) => [seen[index] as Seen, after] as const))
      .filter((pairs) => pairs.length > 0);
  }

  /** How much a counter grew in the window, over all instances, and in what time; null when nobody says. */
  #increase(
    process: PlatformProcess,
    of: (scrape: Scrape) => number | null,
    windowMs: number,
  ): { readonly by: number; readonly ms: number } | null {
    const counted = this.#pairs(process, windowMs).map((pairs) =>
      pairs.flatMap(([before, after]) => {
        const [one, other] = [of(before.scrape), of(after.scrape)];
        return one === null || other === null
          ? []
          : [{ by: growth(one, other, restarted(before, after)), ms: after.at - before.at }];
      }),
    );
    const known = counted.filter((steps) => steps.length > 0);
    if (known.length === 0) return null;
    return {
      by: known.flat().reduce((total, { by }) => total + by, 0),
      ms: Math.max(...known.map((steps) => steps.reduce((total, { ms }) => total + ms, 0))),
    };
  }

  #ack(windowMs: number): Buckets {
    const grown = new Map<number, number>();
    for (const [before, after] of this.#pairs('ingest-webhook', windowMs).flat())
      for (const [bound, count] of after.scrape.ack)
        grown.set(bound, (grown.get(bound) ?? 0) + growth(before.scrape.ack.get(bound) ?? 0, count, restarted(before, after)));
    return grown;
  }
}

const restarted = (before: Seen, after: Seen): boolean => before.scrape.startSeconds !== after.scrape.startSeconds;

const viewOf = ({ target, finding, since, answeredAt }: Watched): Omit<PlatformProcessView, 'lagRecords' | 'lagSeconds'> => {
  const scrape = finding?.scrape;
  return {
    process: target.process,
    instance: target.instance,
    state: finding?.state ?? 'not_ready',
    since: new Date(since).toISOString(),
    failing: finding?.failing ?? [{ check: 'sampler', reason: 'not asked yet' }],
    problem: finding?.problem ?? null,
    answeredAt: instant(answeredAt),
    version: scrape?.version ?? null,
    startedAt: instant(scrape?.startSeconds ? scrape.startSeconds * 1000 : null),
    eventLoopDelaySeconds: scrape?.eventLoopDelaySeconds ?? null,
    residentBytes: scrape?.residentBytes ?? null,
    parkedKeys: scrape?.parkedKeys ?? null,
  };
};
