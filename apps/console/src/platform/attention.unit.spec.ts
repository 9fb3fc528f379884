import { describe, expect, it } from '@jest/globals';
import { healthy, troubled } from '../testing/platform-world.spec.js';
import { attentionOf } from './attention.js';
import { knownOf, linesOf } from './lines.js';

const format = (seconds: number): string => `${seconds} s`;
const whatIn = (figures: Parameters<typeof attentionOf>[0]): string[] => attentionOf(figures, format).map(({ what }) => what);

describe('what somebody should look at', () => {
  it('is nothing when everything runs', () => {
    expect(attentionOf(healthy(), format)).toEqual([]);
  });

  it('is what is down before what is late', () => {
    expect(attentionOf(troubled(), format)).toEqual([
      { what: 'down', with: { process: 'billing' } },
      { what: 'notReady', with: { process: 'routing', why: 'database: no answer' } },
      { what: 'parked', with: { count: 1 } },
      { what: 'lag', with: { stage: 'routing', time: '91 s' } },
    ]);
  });

  it('is each promise that is broken, and none that is kept to the bound', () => {
    const figures = healthy();
    const [first] = figures.processes;
    const [, stage] = figures.stages;
    if (!first || !stage) throw new Error('nothing there');
    first.eventLoopDelaySeconds = 0.2;
    stage.outboxAgeSeconds = 60;
    figures.webhook.ackP99Seconds = 0.5;
    figures.audit.checkpointAgeSeconds = 60;
    expect(whatIn(figures)).toEqual([]);
    first.eventLoopDelaySeconds = 0.21;
    stage.outboxAgeSeconds = 61;
    figures.webhook.ackP99Seconds = 0.51;
    figures.audit = { ...figures.audit, checkpointAgeSeconds: 61, verifyFailures: 2 };
    figures.replay = [{ of: 'ledger', verifiedAt: null, equal: false }];
    expect(whatIn(figures)).toEqual(['findings', 'proof.ledger', 'outbox', 'checkpoint', 'ack', 'eventLoop']);
  });
});

describe('the lines of a history', () => {
  const picture = { width: 100, height: 23, scale: 10 };

  it('end where nothing was known, and go on behind it', () => {
    expect(linesOf([0, 10, null, 5, 10], picture)).toEqual(['0.0,22.0 25.0,2.0', '75.0,12.0 100.0,2.0']);
  });

  it('show a single value as a stroke, and nothing as nothing', () => {
    expect(linesOf([null, null, 10], picture)).toEqual(['75.0,2.0 100.0,2.0']);
    expect(linesOf([null, null], picture)).toEqual([]);
    expect(linesOf([], picture)).toEqual([]);
  });

  it('begin where something is known, and are never too short to look at', () => {
    const nothing = (count: number): null[] => Array.from({ length: count }, () => null);
    expect(knownOf([...nothing(70), 1, ...nothing(49)])).toEqual([1, ...nothing(49)]);
    expect(knownOf([...nothing(118), 1, 2])).toEqual([...nothing(18), 1, 2]);
    expect(knownOf([1, null, 2])).toEqual([1, null, 2]);
    expect(knownOf(nothing(120))).toEqual(nothing(120));
  });

  it('stay within the picture', () => {
    expect(linesOf([20, 20], picture)).toEqual(['0.0,2.0 100.0,2.0']);
  });
});
