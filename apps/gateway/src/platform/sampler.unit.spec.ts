import { describe, expect, it } from '@jest/globals';
import { quantile, scrapeOf } from './figures.js';
import type { Finding } from './probe.js';
import { PlatformSampler } from './sampler.js';
import type { PlatformTarget } from './targets.js';

const target = (name: string): PlatformTarget => {
  const [process, instance = null] = name.split('/');
  return { name, process: process as PlatformTarget['process'], instance, url: `http://${name}`, api: undefined };
};
const down: Finding = { state: 'down', failing: [], problem: 'REFUSED', scrape: null };
const says = (...lines: string[]): Finding => {
  const scrape = scrapeOf(['build_info{version="1.2.3"} 1', 'process_start_time_seconds 1000', ...lines].join('\n'));
  if (scrape === null) throw new Error('unreadable');
  return { state: 'ready', failing: [], problem: null, scrape };
};

/** A sampler whose clock and processes a test moves. */
const world = (...names: string[]) => {
  const findings = new Map<string, Finding>(names.map((name) => [`http://${name}`, down]));
  const clock = { now: Date.parse('2026-11-23T10:00:00.000Z') };
  const sut = new PlatformSampler(names.map(target), {
    now: () => clock.now,
    probe: async ({ url }) => findings.get(url) ?? down,
  });
  return {
    sut,
    /** Five seconds later, everybody says what they are told here and otherwise what they said before. */
    async tick(said: Record<string, Finding> = {}): Promise<void> {
      for (const [name, finding] of Object.entries(said)) findings.set(`http://${name}`, finding);
      clock.now += 5000;
      await sut.round();
    },
    stage: (name: string) => sut.figures().stages.find(({ stage }) => stage === name),
  };
};

describe('the sampler of the platform page', () => {
  it('gives rates over the last minute from counters, also over a restart of the process', async () => {
    const { tick, stage } = world('conversation');
    for (let count = 0; count <= 12; count += 1)
      await tick({ conversation: says(`consumer_records_total{topic="a"} ${count * 10}`) });
    expect(stage('conversation')?.perSecond).toBe(2);
    // when it starts again and counts from nothing: three records, and not minus 117
    const again = says('consumer_records_total{topic="a"} 3');
    await tick({ conversation: { ...again, scrape: again.scrape && { ...again.scrape, startSeconds: 2000 } } });
    expect(stage('conversation')?.perSecond).toBeCloseTo(113 / 60, 5);
  });

  it('adds the rates of instances, and takes the lag of one: they look at the same positions', async () => {
    const { tick, stage } = world('routing/1', 'routing/2');
    const routing = (count: number, lag: number): Finding =>
      says(`consumer_records_total{topic="a"} ${count}`, `projection_lag_events{group="routing"} ${lag}`);
    await tick({ 'routing/1': routing(0, 7), 'routing/2': routing(0, 7) });
    await tick({ 'routing/1': routing(10, 4), 'routing/2': routing(20, 5) });
    expect(stage('routing')).toMatchObject({ perSecond: 6, lagRecords: 5 });
  });

  it('knows no figures of a process that is down, except the lag that the exporter measures for all', async () => {
    const { tick, sut, stage } = world('billing', 'lag-exporter');
    await tick({
      billing: says('projection_lag_events{group="billing"} 1', 'consumer_records_total 1'),
      'lag-exporter': says(
        'projection_lag_events{group="billing"} 30',
        'projection_lag_seconds{group="billing"} 12',
        'projection_lag_events{group="routing"} 99',
      ),
    });
    expect(stage('billing')?.lagRecords).toBe(1);
    const before = sut.figures().processes[0];
    await tick({ billing: down });
    expect(stage('billing')).toMatchObject({ lagRecords: 30, lagSeconds: 12, perSecond: null });
    expect(sut.figures().processes[0]).toMatchObject({
      process: 'billing',
      state: 'down',
      problem: 'REFUSED',
      answeredAt: before?.answeredAt,
      version: null,
      lagSeconds: 12,
    });
    const { since } = sut.figures().processes[0] ?? {};
    expect(since).not.toBe(before?.since);
    // and it stays the same outage
    await tick();
    expect(sut.figures().processes[0]?.since).toBe(since);
  });

  it('says why a process is not ready', async () => {
    const { tick, sut } = world('routing');
    const failing = [{ check: 'database', reason: 'no answer' }];
    await tick({ routing: { ...says(), state: 'not_ready', failing } });
    expect(sut.figures().processes[0]).toMatchObject({ state: 'not_ready', failing, version: '1.2.3', lagSeconds: null });
  });

  it('gives quantiles of the acknowledgements of the last five minutes, not of all time', async () => {
    const { tick, sut } = world('ingest-webhook');
    const acks = (fast: number, slow: number): Finding =>
      says(
        `webhook_ack_seconds_bucket{le="0.1",status="200"} ${fast}`,
        `webhook_ack_seconds_bucket{le="1",status="200"} ${fast + slow}`,
        `webhook_ack_seconds_bucket{le="+Inf",status="200"} ${fast + slow}`,
        'webhook_signature_failures_total{app="hotel"} 4',
      );
    await tick({ 'ingest-webhook': acks(0, 5000) });
    expect(sut.figures().webhook).toMatchObject({ ackP99Seconds: null, signatureFailures: null });
    await tick({ 'ingest-webhook': acks(90, 5010) });
    expect(sut.figures().webhook).toMatchObject({ signatureFailures: 0, windowSeconds: 300 });
    expect(sut.figures().webhook.ackP50Seconds).toBeCloseTo(0.0556, 3);
    expect(sut.figures().webhook.ackP99Seconds).toBeCloseTo(0.91, 3);
    for (let tick5 = 0; tick5 < 61; tick5 += 1) await tick();
    expect(sut.figures().webhook.ackP99Seconds).toBeNull();
  });

  it('keeps half an hour in steps, with gaps where nothing was known', async () => {
    const { tick, stage } = world('conversation');
    for (let round = 0; round < 500; round += 1)
      await tick({ conversation: round % 100 < 6 ? down : says(`projection_lag_seconds{group="conversation"} ${round}`) });
    const history = stage('conversation')?.history.lagSeconds ?? [];
    expect(history).toHaveLength(120);
    expect(history.at(-1)).toBe(499);
    expect(history.filter((value) => value === null).length).toBeGreaterThan(3);
    expect(history.filter((value) => value === null).length).toBeLessThan(12);
    expect(history[0]).toBeGreaterThanOrEqual(139);
  });

  it('shows proofs by replay and verification, and honestly none', async () => {
    const { tick, sut } = world('lag-exporter');
    await tick({ 'lag-exporter': says() });
    expect(sut.figures().replay).toEqual([
      { of: 'billing', verifiedAt: null, equal: null },
      { of: 'ledger', verifiedAt: null, equal: null },
    ]);
    await tick({
      'lag-exporter': says('replay_proof_age_seconds{what="replay"} 3610', 'replay_proof_failed{what="replay"} 1'),
    });
    expect(sut.figures().replay).toEqual([
      { of: 'billing', verifiedAt: '2026-11-23T09:00:00.000Z', equal: false },
      { of: 'ledger', verifiedAt: null, equal: null },
    ]);
  });
});

describe('a text that is not from a process of ours', () => {
  it('is no scrape', () => expect(scrapeOf('go_goroutines 7\n')).toBeNull());
});

describe('a quantile of a histogram', () => {
  it('lies within the bucket where its rank falls, and never beyond the last bound', () => {
    const buckets = new Map([
      [0.1, 50],
      [0.5, 100],
      [Infinity, 200],
    ]);
    expect([0.25, 0.5, 0.99].map((share) => quantile(buckets, share))).toEqual([0.1, 0.5, 0.5]);
    expect(quantile(new Map(), 0.5)).toBeNull();
    expect(quantile(new Map([[1, 0]]), 0.5)).toBeNull();
  });
});
