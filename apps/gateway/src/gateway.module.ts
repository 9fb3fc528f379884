import { Database } from '@centralita/event-store';
import { DRAIN, LOGGER, ProblemFilter, type DrainController, type Logger, type Metrics } from '@centralita/platform-nest';
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { GatewayConfig } from './config.js';
import { GATEWAY_CONFIG } from './gateway-tokens.js';
import { LiveController } from './live/live.controller.js';
import { AuthController } from './login/auth.controller.js';
import { OidcLogin } from './login/oidc.js';
import { RateLimit } from './login/rate-limit.js';
import { ParkedKeysOfAll } from './platform/parked.js';
import { PlatformController } from './platform/platform.controller.js';
import type { PlatformSampler } from './platform/sampler.js';
import { PlatformFiguresSource } from './platform/source.js';
import { ApiController } from './proxy/api.controller.js';
import { Forward } from './proxy/forward.js';
import { RouteTable } from './proxy/route-table.js';
import { Sessions } from './session/sessions.js';
import { JwksController } from './tokens/jwks.controller.js';
import { OperatorTokenController } from './tokens/operator-token.controller.js';
import { Tokens } from './tokens/tokens.js';

export type GatewayParts = {
  readonly config: GatewayConfig;
  readonly db: Database;
  readonly tokens: Tokens;
  readonly table: RouteTable;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly drain: DrainController;
  /** null: this installation shows its figures elsewhere. */
  readonly sampler: PlatformSampler | null;
};

/** Login, one public API, one live stream. No business rule lives here. */
@Module({})
export class GatewayModule {
  static forRoot({ config, db, tokens, table, logger, metrics, drain, sampler }: GatewayParts): DynamicModule {
    return {
      module: GatewayModule,
      controllers: [AuthController, OperatorTokenController, JwksController, LiveController, PlatformController, ApiController],
      providers: [
        { provide: GATEWAY_CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: DRAIN, useValue: drain },
        { provide: Tokens, useValue: tokens },
        { provide: RouteTable, useValue: table },
        { provide: Sessions, useValue: new Sessions(db, config) },
        { provide: OidcLogin, useValue: new OidcLogin(config) },
        { provide: RateLimit, useValue: new RateLimit(config.LOGIN_RATE_PER_MINUTE) },
        { provide: Forward, useValue: new Forward(config, tokens, logger) },
        { provide: PlatformFiguresSource, useValue: new PlatformFiguresSource(sampler) },
        { provide: ParkedKeysOfAll, useValue: new ParkedKeysOfAll(config, tokens, logger) },
        { provide: APP_FILTER, useValue: new ProblemFilter(logger, metrics) },
      ],
    };
  }
}
