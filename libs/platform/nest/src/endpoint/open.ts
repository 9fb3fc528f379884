import { SetMetadata } from '@nestjs/common';

export const OPEN = Symbol('centralita:open');

/**
 * Marks a handler that needs no token of the gateway because it has a check of its own or shows nothing (a provider's webhook, the API
 * document). Every other handler without a route fails the start. `why` is for whoever reads the code.
 */
export const OpenRoute = (why: string): MethodDecorator => SetMetadata(OPEN, why);
