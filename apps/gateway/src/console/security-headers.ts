import type { FastifyInstance } from 'fastify';

/**
 * What a browser may do with our pages. Scripts and connections only from here; styles also inline, because the component library
 * sets its variables in a style element; images and sound also from blobs, because media is fetched with a header and shown from
 * memory. Nobody frames us.
 */
export const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

export const securityHeaders = (secure: boolean): Record<string, string> => ({
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
  ...(secure ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
});

/** On every answer, errors and streams included; an answer that has brought a stricter policy keeps it. */
export const addSecurityHeaders = (instance: FastifyInstance, secure: boolean): void => {
  const headers = Object.entries(securityHeaders(secure));
  instance.addHook('onRequest', (_request, reply, done) => {
    for (const [name, value] of headers) reply.header(name, value);
    done();
  });
};
