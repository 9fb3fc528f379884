import type { DynamicModule } from '@nestjs/common';
import { ConversationHandler } from './conversation-handler.js';
import { FactsHandler } from './facts/handler.js';
import { Participants } from './facts/participants.js';
import { Erasures } from './intake/erasures.js';
import { IntakeHandler } from './intake/handler.js';
import { AuditController } from './query/http.js';
import { SelftestHandler } from './selftest/handler.js';
import { SelftestMeter } from './selftest/meter.js';
import { Sequencer } from './sequence/sequencer.js';
import { Signer } from './signing/signer.js';

export class AuditLogModule {
  static with(signer: Signer): DynamicModule {
    return {
      module: AuditLogModule,
      controllers: [IntakeHandler, ConversationHandler, FactsHandler, SelftestHandler, AuditController],
      providers: [{ provide: Signer, useValue: signer }, Erasures, Participants, Sequencer, SelftestMeter],
    };
  }
}
