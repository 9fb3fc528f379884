export type { Actor } from './auth/actor.js';
export * from './config.js';
export { currentContext, runInContext, type RequestContext } from './context.js';
export { binary, isBinarySchema, type Binary } from './endpoint/binary.js';
export { Disclosure, disclosure, Reply, reply, type DisclosureOptions, type ReplyOptions } from './endpoint/result.js';
export {
  Endpoint,
  route,
  type AccessEventType,
  type Audited,
  type EndpointInput,
  type InputOf,
  type Method,
  type OutputOf,
  type Route,
} from './endpoint/route.js';
export { consumerActionOf, consumerActions, type ConsumerAction } from './errors/consumer.js';
export { asPlatformError, ProblemFilter, sendProblem } from './errors/filter.js';
export { codeForStatus, httpAnswers, problemOf, problemType } from './errors/http.js';
export { createLogger, describeError, NestLogger, type Logger, type LoggerOptions } from './logger.js';
export * from './tokens.js';
