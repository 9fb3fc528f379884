import type { Service } from '@centralita/contracts';
import { Commands, Database, EventStore } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, DiscoveryModule, DiscoveryService, MetadataScanner } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { DenialsController } from './access/denials.controller.js';
import { AccessRecorder } from './access/recorder.js';
import type { TokenVerifier } from './auth/token.js';
import { EndpointGuard } from './endpoint/guard.js';
import { EndpointInterceptor, type CausalWait } from './endpoint/interceptor.js';
import { openApiController } from './endpoint/openapi.controller.js';
import { RouteRegistry } from './endpoint/registry.js';
import { ProblemFilter } from './errors/filter.js';
import { FeedController } from './feed/feed.controller.js';
import type { FeedReader } from './feed/feed.js';
import type { Metrics } from './metrics.js';
import { ParkedController } from './operations/parked.controller.js';
import type { DrainController } from './runtime/drain.js';
import type { Health } from './runtime/health.js';
import type { ParkedKeys } from './runtime/parked.js';
import { CLOCK, CONFIG, DRAIN, EVENT_LOG, HEALTH, LOGGER, METRICS, type PlatformDeps } from './tokens.js';

export type PlatformModuleOptions = {
  readonly service: Service;
  readonly deps: PlatformDeps;
  readonly dataSource: DataSource;
  readonly commands: Commands;
  readonly recorder: AccessRecorder;
  readonly verifier: TokenVerifier;
  readonly waitForCause: CausalWait;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly drain: DrainController;
  readonly feed?: FeedReader;
  /** Of a service with a consumer group; asked at each call. */
  readonly parked?: () => ParkedKeys;
  /** The service's own module. */
  readonly module: DynamicModule | Type;
};

const value = (provide: Type | symbol, useValue: unknown): Provider => ({ provide, useValue });

/** Root of every service: the platform's parts by class or token, and the one way in for requests. */
@Module({})
export class PlatformModule {
  static forRoot(options: PlatformModuleOptions): DynamicModule {
    const { deps, recorder, drain } = options;
    const shared: Provider[] = [
      value(Database, deps.db),
      value(EventStore, deps.store),
      value(Commands, options.commands),
      value(AccessRecorder, recorder),
      value(EVENT_LOG, deps.log),
      value(LOGGER, deps.logger),
      value(CLOCK, deps.clock),
      value(CONFIG, deps.config),
      value(METRICS, options.metrics),
      value(HEALTH, options.health),
      value(DRAIN, drain),
      ...(deps.keyring ? [value(Keyring as unknown as Type, deps.keyring)] : []),
      {
        provide: RouteRegistry,
        useFactory: (discovery: DiscoveryService, scanner: MetadataScanner) => new RouteRegistry(discovery, scanner),
        inject: [DiscoveryService, MetadataScanner],
      },
    ];
    return {
      module: PlatformModule,
      global: true,
      imports: [
        DiscoveryModule,
        TypeOrmModule.forRootAsync({
          useFactory: () => options.dataSource.options,
          dataSourceFactory: async () => options.dataSource,
        }),
        options.module,
      ],
      controllers: [
        openApiController(options.service),
        DenialsController,
        ...(options.feed ? [FeedController(options.feed)] : []),
        ...(options.parked ? [ParkedController(options.parked, deps.logger)] : []),
      ],
      providers: [
        ...shared,
        { provide: APP_GUARD, useValue: new EndpointGuard(options.verifier, recorder) },
        { provide: APP_INTERCEPTOR, useValue: new EndpointInterceptor(recorder, options.waitForCause, drain.signal) },
        { provide: APP_FILTER, useValue: new ProblemFilter(deps.logger, options.metrics) },
      ],
      exports: shared,
    };
  }
}
