import { PlatformError } from '@centralita/contracts';
import type { FastifyRequest } from 'fastify';

const safeMethods = new Set(['GET', 'HEAD']);

/**
 * Refuses calls that another site could have caused. A browser sends the header `x-centralita` only from our own page (it needs a
 * preflight elsewhere, which nobody answers). Event streams, images and downloads cannot carry it: for those the browser itself says
 * that the page is ours. The Strict cookie is the first fence, this the second.
 */
export const requireOwnPage = (request: FastifyRequest): void => {
  if (request.headers['x-centralita'] === '1') return;
  if (safeMethods.has(request.method) && request.headers['sec-fetch-site'] === 'same-origin') return;
  throw new PlatformError('FORBIDDEN', 'the header x-centralita: 1 is required');
};
