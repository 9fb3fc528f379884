import type { PlatformOverview } from '@centralita/contracts';
import type { PlatformSampler } from './sampler.js';

/** The figures of this installation, where it has told the gateway whom to ask. */
export class PlatformFiguresSource {
  constructor(private readonly sampler: Pick<PlatformSampler, 'figures'> | null) {}

  overview(): PlatformOverview {
    return this.sampler?.figures() ?? { configured: false, setting: 'PLATFORM_TARGETS_FILE' };
  }
}
