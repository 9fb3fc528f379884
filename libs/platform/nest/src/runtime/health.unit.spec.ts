import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, it } from '@jest/globals';
import { until } from '@centralita/testing-engines';
import { loopDelaySeconds } from './health.js';

describe(loopDelaySeconds.name, () => {
  it('is the time that was lost, without the interval at which the loop is looked at', () => {
    expect([loopDelaySeconds(0), loopDelaySeconds(50e6), loopDelaySeconds(350e6)]).toEqual([0, 0, expect.closeTo(0.3)]);
  });

  it('takes what Node records for what it is', async () => {
    const recorded = monitorEventLoopDelay({ resolution: 50 });
    recorded.enable();
    await until(() => recorded.count > 0);
    recorded.disable();
    // An idle loop is not 50 ms late; were it so, the interval would have to be 100 ms.
    expect(recorded.min).toBeGreaterThanOrEqual(40e6);
  });
});
