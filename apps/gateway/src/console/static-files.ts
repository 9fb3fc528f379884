import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { PlatformError } from '@centralita/contracts';
import { sendProblem, type Logger } from '@centralita/platform-nest';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const isPage = (request: FastifyRequest): boolean =>
  !/^\/(?:api|auth|assets|\.well-known)(?:\/|$)/.test(request.url.split('?')[0] ?? '') &&
  !/\.[a-z0-9]+$/i.test(request.url.split('?')[0] ?? '');

/**
 * Serves the built console. Names under /assets hold a hash of their content and never change; everything else is asked for again. A
 * path that is no file is a page of the application, which finds its way by itself.
 */
export const serveConsole = async (instance: FastifyInstance, folder: string | undefined, logger: Logger): Promise<void> => {
  if (folder === undefined) return;
  await instance.register(fastifyStatic, {
    root: folder,
    wildcard: false,
    index: 'index.html',
    cacheControl: false,
    setHeaders: (reply, path) =>
      void reply.header(
        'cache-control',
        path.startsWith(join(folder, 'assets')) ? 'public, max-age=31536000, immutable' : 'no-cache',
      ),
  });
  instance.get('/*', (request: FastifyRequest, reply: FastifyReply) => {
    if (isPage(request)) return reply.sendFile('index.html', folder);
    sendProblem(new PlatformError('NOT_FOUND', 'there is nothing here'), request, reply, logger);
    return reply;
  });
};
