import { createDataSource, Database } from '@centralita/event-store';
import { LOGGER, METRICS, watchPool, type Logger, type Metrics } from '@centralita/platform-nest';
import { Module, type DynamicModule } from '@nestjs/common';
import { BoardController } from './board/http.js';
import { DefinitionsController } from './definitions/http.js';
import { ConversationFollower } from './follow-conversations/handler.js';
import { RoutingCommands } from './inputs/commands.js';
import { Signals } from './inputs/signals.js';
import { AnswersController } from './work/answers.http.js';
import { MeController } from './work/me.http.js';
import { WRITER_DATABASE, Writers } from './writer/writers.js';

/** Writers have connections of their own: decisions do not queue behind those who only look. */
const WRITER_POOL_SIZE = 4;

@Module({})
export class RoutingModule {
  static with(options: { readonly databaseUrl: string }): DynamicModule {
    return {
      module: RoutingModule,
      controllers: [MeController, AnswersController, BoardController, DefinitionsController, ConversationFollower],
      providers: [
        RoutingCommands,
        Writers,
        {
          provide: WRITER_DATABASE,
          useFactory: (metrics: Metrics) => {
            const dataSource = createDataSource({
              url: options.databaseUrl,
              poolSize: WRITER_POOL_SIZE,
              applicationName: 'centralita-routing-writer',
            });
            watchPool(metrics, dataSource, WRITER_POOL_SIZE, 'writers');
            return new Database(dataSource, { isolationGuardFired: () => metrics.rlsContextMissing.inc() });
          },
          inject: [METRICS],
        },
        { provide: Signals, useFactory: (logger: Logger) => new Signals(options.databaseUrl, logger), inject: [LOGGER] },
      ],
    };
  }
}
