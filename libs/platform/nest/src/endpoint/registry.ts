import { PlatformError } from '@centralita/contracts';
import { METHOD_METADATA } from '@nestjs/common/internal';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { personalFields } from '../access/personal.js';
import { OPEN } from './open.js';
import { ROUTE, type Route } from './route.js';

/** What is wrong with a route, or nothing. */
export const routeProblems = (route: Route): string[] => {
  const name = `${route.method} ${route.path}`;
  const problems: string[] = [];
  if (route.roles.length === 0) problems.push(`${name}: names no role, so nobody may call it`);
  if (!route.path.startsWith('/')) problems.push(`${name}: the path starts with /`);
  const parameters = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1]);
  if (parameters.length > 0 && !route.params)
    problems.push(`${name}: has parameters ${parameters.join(', ')} and no schema for them`);
  const personal = personalFields(route.response);
  if (personal.length > 0 && !route.audited)
    problems.push(`${name}: shows customer data (${personal.slice(0, 5).join(', ')}) and is not audited`);
  return problems;
};

/** All routes of a process, found by their decorators. */
export class RouteRegistry {
  readonly routes: readonly Route[];

  constructor(discovery: DiscoveryService, scanner: MetadataScanner) {
    const problems: string[] = [];
    const routes: Route[] = [];
    for (const { instance, name } of discovery.getControllers()) {
      if (typeof instance !== 'object' || instance === null) continue;
      const prototype = Object.getPrototypeOf(instance) as Record<string, unknown>;
      for (const method of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[method] as object;
        const route = Reflect.getMetadata(ROUTE, handler) as Route | undefined;
        if (route) {
          routes.push(route);
          problems.push(...routeProblems(route));
        } else if (Reflect.hasMetadata(METHOD_METADATA, handler) && !Reflect.hasMetadata(OPEN, handler)) {
          problems.push(`${name}.${method}: is neither an @Endpoint with roles nor an @OpenRoute`);
        }
      }
    }
    if (problems.length > 0)
      throw new PlatformError(
        'CONFIGURATION_INVALID',
        `routes are not safe to serve:\n${problems.map((line) => `  ${line}`).join('\n')}`,
      );
    this.routes = routes;
  }
}
