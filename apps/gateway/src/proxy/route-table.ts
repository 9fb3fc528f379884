import { PlatformError, Role } from '@centralita/contracts';
import type { Logger } from '@centralita/platform-nest';
import { z } from 'zod';
import { ownerOfSegment, upstreams, type Upstream } from './services.js';

/** The part of a service's OpenAPI document that the gateway acts on; the rest is passed on as it is. */
const Operation = z.looseObject({
  'x-roles': z.array(Role),
  'x-audited': z.object({ action: z.string(), resource: z.string() }).optional(),
});
const ApiDocument = z.looseObject({
  openapi: z.string().startsWith('3.1'),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()).optional() }).optional(),
});
export type ApiDocument = z.infer<typeof ApiDocument>;

export type PublicRoute = {
  readonly service: Upstream;
  readonly method: string;
  /** As documented, for example `/v1/conversations/{id}`. */
  readonly template: string;
  readonly segments: readonly string[];
  readonly roles: readonly Role[];
  readonly audited: { readonly action: string; readonly resource: string } | undefined;
};

const isParameter = (segment: string): boolean => segment.startsWith('{');
const segmentsOf = (path: string): string[] => path.split('/').slice(1);

const routesOf = (service: Upstream, document: ApiDocument): PublicRoute[] =>
  Object.entries(document.paths).flatMap(([template, operations]) =>
    ownerOfSegment[segmentsOf(template)[1] ?? ''] === service
      ? Object.entries(operations).map(([method, operation]) => ({
          service,
          method: method.toUpperCase(),
          template,
          segments: segmentsOf(template),
          roles: operation['x-roles'],
          audited: operation['x-audited'],
        }))
      : [],
  );

const matches = (route: PublicRoute, segments: readonly string[]): boolean =>
  route.segments.length === segments.length &&
  route.segments.every((segment, index) => (isParameter(segment) ? segments[index] !== '' : segment === segments[index]));

/**
 * What the gateway lets through: the operations that services document under the segments that they own. Deny by default, and no
 * second list to forget. A service that is not up keeps the document that was read last.
 */
export class RouteTable {
  readonly #documents = new Map<Upstream, ApiDocument>();
  #routes: readonly PublicRoute[] = [];

  constructor(private readonly logger: Logger) {}

  get documents(): ReadonlyMap<Upstream, ApiDocument> {
    return this.#documents;
  }

  /** Services whose document has not been read yet. */
  missing(): Upstream[] {
    return upstreams.filter((service) => !this.#documents.has(service));
  }

  set(service: Upstream, document: unknown): void {
    const parsed = ApiDocument.parse(document);
    const foreign = Object.keys(parsed.paths).filter((path) => ownerOfSegment[segmentsOf(path)[1] ?? ''] !== service);
    if (!this.#documents.has(service))
      this.logger.info({ service, operations: routesOf(service, parsed).length, internal: foreign }, 'routes read');
    this.#documents.set(service, parsed);
    // Fixed segments before parameters, so that /v1/agents/me would win over /v1/agents/{id}.
    const fixed = (route: PublicRoute): number => route.segments.filter((segment) => !isParameter(segment)).length;
    this.#routes = [...this.#documents].flatMap(([owner, each]) => routesOf(owner, each)).sort((a, b) => fixed(b) - fixed(a));
  }

  /** The route of a request path below /api. Throws NOT_FOUND for what is not public, UPSTREAM_UNAVAILABLE before its owner was up. */
  find(method: string, path: string): PublicRoute & { readonly resourceId: string } {
    const segments = segmentsOf(path);
    const owner = ownerOfSegment[segments[1] ?? ''];
    if (owner !== undefined && !this.#documents.has(owner))
      throw new PlatformError('UPSTREAM_UNAVAILABLE', `${owner} is not up yet`, { service: owner });
    const route = this.#routes.find((candidate) => candidate.method === method && matches(candidate, segments));
    if (!route) throw new PlatformError('NOT_FOUND', 'there is nothing here');
    const parameter = route.segments.findIndex(isParameter);
    return { ...route, resourceId: (parameter < 0 ? 'list' : (segments[parameter] ?? 'list')).slice(0, 80) };
  }
}
