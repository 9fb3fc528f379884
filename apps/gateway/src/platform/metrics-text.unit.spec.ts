import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { parseMetrics } from './metrics-text.js';

const wanted = new Set(['things_total', 'lag', 'ack_seconds']);

describe('the text of /metrics', () => {
  it('is read as it was written by the client library, whatever is in a label', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ maxLength: 20 }), fc.double({ noNaN: true, noDefaultInfinity: true })), {
          maxLength: 8,
        }),
        async (labelled) => {
          const registers = [new Registry()];
          const gauge = new Gauge({ name: 'lag', help: 'Lag.\nOf a group.', labelNames: ['group'], registers });
          // Text knows no negative zero.
          const given = new Map(labelled.map(([group, value]) => [group.replaceAll('\r', ''), value + 0]));
          for (const [group, value] of given) gauge.set({ group }, value);
          const [registry] = registers as [Registry];
          const read = parseMetrics(await registry.metrics(), wanted).get('lag') ?? [];
          expect(new Map(read.map(({ labels, value }) => [labels.group, value]))).toEqual(given);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('tells a counter that counted nothing from one that is not there', async () => {
    const registers = [new Registry()];
    new Counter({ name: 'things_total', help: 'Things.', labelNames: ['kind'], registers });
    const [registry] = registers as [Registry];
    const families = parseMetrics(await registry.metrics(), wanted);
    expect([families.get('things_total'), families.get('lag')]).toEqual([[], undefined]);
  });

  it('gives the buckets of a histogram, and neither its sum nor its count', async () => {
    const registers = [new Registry()];
    new Histogram({ name: 'ack_seconds', help: 'Acks.', buckets: [0.1, 1], registers }).observe(0.5);
    const [registry] = registers as [Registry];
    expect(parseMetrics(await registry.metrics(), wanted).get('ack_seconds')).toEqual([
      { labels: { le: '0.1' }, value: 0 },
      { labels: { le: '1' }, value: 1 },
      { labels: { le: '+Inf' }, value: 1 },
    ]);
  });

  it.each([
    ['nothing', ''],
    ['a page', '<!doctype html><title>lag</title>'],
    ['no number', 'lag many'],
    ['half a line', 'lag{group="a"'],
    ['no value', 'lag{group="a"} NaN'],
    ['a line without end', `lag{group="${'x'.repeat(10_000)}"} 1`],
  ])('passes over %s', (_what, text) => {
    expect(parseMetrics(text, wanted).get('lag') ?? []).toEqual([]);
  });

  it('reads the values that are words, and a line with a timestamp', () => {
    expect(parseMetrics('lag{group="a"} +Inf\nlag -Inf 1700000000000\r\n', wanted).get('lag')).toEqual([
      { labels: { group: 'a' }, value: Infinity },
      { labels: {}, value: -Infinity },
    ]);
  });

  it('is read in bounds, however much there is', () => {
    const text = Array.from({ length: 50_000 }, (_, index) => `lag{group="${index}"} ${index}`).join('\n');
    expect(parseMetrics(text, wanted).get('lag')).toHaveLength(20_000);
  });
});
