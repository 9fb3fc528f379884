import type { DynamicModule } from '@nestjs/common';
import { FactsHandler } from './facts/handler.js';
import { ErasureHandler } from './intake/erasure-handler.js';
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
      controllers: [IntakeHandler, ErasureHandler, FactsHandler, SelftestHandler, AuditController],
      providers: [{ provide: Signer, useValue: signer }, Sequencer, SelftestMeter],
    };
  }
}
