import type { Service } from '@centralita/contracts';
import { Controller, Get, Header, type Type } from '@nestjs/common';
import { OpenRoute } from './open.js';
import { openApiDocument } from './openapi.js';
import { RouteRegistry } from './registry.js';

/** GET /openapi.json of one service; the gateway merges those of all. */
export const openApiController = (service: Service): Type => {
  @Controller()
  class OpenApiController {
    #document: Record<string, unknown> | undefined;
    constructor(private readonly registry: RouteRegistry) {}

    @Get('/openapi.json')
    @OpenRoute('describes the API and shows no data')
    @Header('cache-control', 'no-cache')
    document(): Record<string, unknown> {
      this.#document ??= openApiDocument(service, this.registry.routes);
      return this.#document;
    }
  }
  return OpenApiController;
};
