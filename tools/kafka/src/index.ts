export { boundToParent, startChild, stopChild } from './child.js';
export type { Child, ChildExit, ChildOptions } from './child.js';
export { startKafka } from './cluster.js';
export type { KafkaNode, KafkaOptions, RunningKafka } from './cluster.js';
export { MissingTool } from './java.js';
export { resolveJars } from './jars.js';
export { withLock } from './lock.js';
export { freePort, freePorts, portIsFree } from './ports.js';
