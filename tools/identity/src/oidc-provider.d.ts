// oidc-provider 9 ships no types; this declares the part that the development provider uses.
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export type KoaContext = {
    type: string;
    body: string;
    status: number;
    req: IncomingMessage;
    res: ServerResponse;
    oidc: { client?: { clientId: string }; session?: { accountId?: string } };
  };
  export type Interaction = { uid: string; prompt: { name: string; reasons: string[] }; params: Record<string, unknown> };
  export type GrantInstance = { addOIDCScope(scope: string): void; save(ttlSeconds?: number): Promise<string> };
  export class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: unknown,
      options?: { mergeWithLastSubmission?: boolean },
    ): Promise<void>;
    on(event: string, listener: (...args: never[]) => void): this;
    readonly Grant: new (properties: { accountId: string; clientId: string }) => GrantInstance;
  }
  export default Provider;
}

declare module 'oidc-provider/lib/adapters/memory_adapter.js' {
  const MemoryAdapter: new (model: string) => object;
  export default MemoryAdapter;
}
