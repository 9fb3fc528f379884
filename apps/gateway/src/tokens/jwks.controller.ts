import { Controller, Get, Header } from '@nestjs/common';
import type { JWK } from 'jose';
import { Tokens } from './tokens.js';

/** Public keys, for services that verify the gateway's tokens. */
@Controller()
export class JwksController {
  constructor(private readonly tokens: Tokens) {}

  @Get('/.well-known/jwks.json')
  @Header('cache-control', 'public, max-age=300')
  keys(): { keys: JWK[] } {
    return this.tokens.jwks;
  }
}
