import { CloudApi } from '@centralita/whatsapp';
import type { MetaApps } from './apps.js';

type GraphSettings = { readonly GRAPH_API_URL: string; readonly GRAPH_API_VERSION: string; readonly GRAPH_TIMEOUT_MS: number };

/** One client per app: each calls with its own token, and only for numbers of its own tenant. */
export const graphClients = (
  apps: MetaApps,
  settings: GraphSettings,
): ((tenantId: string, phoneNumberId: string) => CloudApi | undefined) => {
  const clients = new Map<string, CloudApi>();
  return (tenantId, phoneNumberId) => {
    const app = apps.ofNumber(tenantId, phoneNumberId);
    if (!app) return undefined;
    const known = clients.get(app.app);
    if (known) return known;
    const client = new CloudApi({
      baseUrl: `${settings.GRAPH_API_URL.replace(/\/+$/, '')}/${settings.GRAPH_API_VERSION}`,
      accessToken: app.accessToken,
      timeoutMs: settings.GRAPH_TIMEOUT_MS,
    });
    clients.set(app.app, client);
    return client;
  };
};
