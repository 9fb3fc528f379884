import type { DynamicModule } from '@nestjs/common';
import { AccountBook } from './accounts.js';
import { BalanceController } from './balance/http.js';
import { BalanceSampler } from './balance/sampler.js';
import { DigestController } from './digest/http.js';
import { FoldUsageHandler } from './fold-usage/handler.js';
import { RateCardHandler } from './rate-cards/handler.js';
import { RateCardController } from './rate-cards/http.js';
import { StatementController } from './statements/http.js';

export class BillingModule {
  static with(accounts: AccountBook): DynamicModule {
    return {
      module: BillingModule,
      controllers: [
        FoldUsageHandler,
        RateCardHandler,
        RateCardController,
        StatementController,
        BalanceController,
        DigestController,
      ],
      providers: [{ provide: AccountBook, useValue: accounts }, BalanceSampler],
    };
  }
}
