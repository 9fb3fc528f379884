import 'reflect-metadata';
import { typesOf } from '@centralita/contracts';
import { OnEvents, type EventBatch } from '@centralita/event-log';
import { Controller, Module } from '@nestjs/common';
import { z } from 'zod';
import { runService } from '../run-service.js';
import { fixtureMigrations } from '../testing/fixture.spec.js';

/** A service in a process of its own, to be ended: see signals.int.spec.ts. */
@Controller()
class NothingController {
  @OnEvents('operations.events.v1', {
    handles: ['projection.rebuilt.v1'],
    ignores: typesOf('operations.events.v1').filter((type) => type !== 'projection.rebuilt.v1'),
  })
  async nothing(_batch: EventBatch): Promise<void> {}
}

@Module({ controllers: [NothingController] })
class NothingModule {}

await runService({
  service: 'conversation',
  schema: z.object({ BREAK: z.enum(['reject', 'throw']).optional() }),
  migrations: fixtureMigrations,
  module: ({ BREAK }, { logger }) => {
    const fail = (): void => {
      if (BREAK === 'throw') throw new Error('thrown');
      void Promise.reject(new Error('rejected'));
    };
    // Long enough after the start to find everything running; the test waits for what follows.
    if (BREAK) setTimeout(fail, 300);
    logger.info({}, 'module built');
    return NothingModule;
  },
  consumerGroup: 'conversation',
  relayTopics: [],
  customerData: false,
});
