import { LOGGER, type Logger } from '@centralita/platform-nest';
import { Module, type DynamicModule } from '@nestjs/common';
import { BoardController } from './board/http.js';
import { DefinitionsController } from './definitions/http.js';
import { ConversationFollower } from './follow-conversations/handler.js';
import { RoutingCommands } from './inputs/commands.js';
import { Signals } from './inputs/signals.js';
import { AnswersController } from './work/answers.http.js';
import { MeController } from './work/me.http.js';
import { Writers } from './writer/writers.js';

@Module({})
export class RoutingModule {
  static with(options: { readonly databaseUrl: string }): DynamicModule {
    return {
      module: RoutingModule,
      controllers: [MeController, AnswersController, BoardController, DefinitionsController, ConversationFollower],
      providers: [
        RoutingCommands,
        Writers,
        { provide: Signals, useFactory: (logger: Logger) => new Signals(options.databaseUrl, logger), inject: [LOGGER] },
      ],
    };
  }
}
