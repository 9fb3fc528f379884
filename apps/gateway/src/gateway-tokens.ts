/** Nest token of the gateway's settings. */
export const GATEWAY_CONFIG = Symbol('gateway:config');
