import { z } from 'zod';
import { refusalOf, type ProviderRefusal } from './provider-errors.js';

export type CloudApiOptions = {
  /** Address with version, for example `https://graph.facebook.com/v25.0`. */
  readonly baseUrl: string;
  readonly accessToken: string;
  /** Milliseconds for one call, headers and body. Default 10,000. */
  readonly timeoutMs?: number;
  /** Milliseconds for one download, of up to 100 MB. Default four minutes. */
  readonly downloadTimeoutMs?: number;
  readonly fetch?: typeof fetch;
};

/** Whom a message goes to. Both may be given; the provider prefers the phone. A BSUID in `to` would be dropped silently. */
export type Recipient = {
  readonly to?: string | undefined;
  readonly recipient?: string | undefined;
  /** `group` when `to` is a group id. */
  readonly recipientType?: 'individual' | 'group' | undefined;
};

export type OutgoingMessage = Recipient & {
  readonly phoneNumberId: string;
  /** Opaque to the provider, comes back in every status of the message. At most 512 characters, never personal. */
  readonly callbackData: string;
  /** The message that is answered. */
  readonly contextWamid?: string | undefined;
  readonly content:
    | { readonly type: 'text'; readonly body: string }
    | { readonly type: 'template'; readonly name: string; readonly language: string; readonly components?: readonly unknown[] };
};

/**
 * `unknown` means that the provider may have taken the message: it must not be sent again. `refused` means that it has not.
 */
export type SendOutcome =
  | { readonly outcome: 'accepted'; readonly wamid: string }
  | {
      readonly outcome: 'refused';
      readonly reason: ProviderRefusal;
      readonly code: number | null;
      readonly status: number | null;
    }
  | { readonly outcome: 'unknown'; readonly why: 'no_answer' | 'unreadable_answer' };

export type MediaInfo = {
  readonly url: string;
  readonly mimeType: string;
  readonly sha256: string | null;
  readonly bytes: number | null;
};
/** `gone`: the provider does not have it (any more). `retry`: asking again may help. */
export type MediaLookup = { readonly outcome: 'found'; readonly info: MediaInfo } | { readonly outcome: 'gone' | 'retry' };
export type MediaDownload =
  { readonly outcome: 'bytes'; readonly bytes: Buffer } | { readonly outcome: 'gone' | 'retry' | 'too_big' | 'refused' };

const SentView = z.object({ messages: z.array(z.object({ id: z.string().min(1) })).min(1) });
const ErrorView = z.object({ error: z.object({ code: z.number().int() }) });
const MediaInfoView = z.object({
  url: z.url(),
  mime_type: z.string().optional().catch(undefined),
  sha256: z.string().optional().catch(undefined),
  file_size: z.coerce.number().int().nonnegative().optional().catch(undefined),
});

/** The connection was never made, so nothing was sent. */
const NEVER_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);
/** Code of an error or of what caused it: fetch hides the reason of the socket two causes deep. */
const codeOf = (error: unknown): string | null => {
  if (typeof error !== 'object' || error === null) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : null;
};

/** Hosts that media links of the provider point to; the access token goes to no other, and only over TLS. */
const MEDIA_HOST = /(^|\.)(facebook\.com|fbsbx\.com|fbcdn\.net|whatsapp\.net)$/;

/** Client of Meta's Cloud API. Never retries: whoever calls decides if a second call is harmless. */
export class CloudApi {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #downloadTimeoutMs: number;
  readonly #fetch: typeof fetch;

  constructor(options: CloudApiOptions) {
    this.#base = options.baseUrl.replace(/\/+$/, '');
    this.#headers = { authorization: `Bearer ${options.accessToken}` };
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#downloadTimeoutMs = options.downloadTimeoutMs ?? 240_000;
    this.#fetch = options.fetch ?? fetch;
  }

  async send(message: OutgoingMessage): Promise<SendOutcome> {
    let response: Response;
    let body: unknown;
    try {
      response = await this.#fetch(`${this.#base}/${encodeURIComponent(message.phoneNumberId)}/messages`, {
        method: 'POST',
        headers: { ...this.#headers, 'content-type': 'application/json' },
        body: JSON.stringify(payloadOf(message)),
        // Following would be a second call.
        redirect: 'manual',
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      body = await readJson(response);
    } catch (error) {
      if (NEVER_SENT.has(codeOf(error) ?? '')) return { outcome: 'refused', reason: 'provider_error', code: null, status: null };
      return { outcome: 'unknown', why: 'no_answer' };
    }
    if (response.ok) {
      const sent = SentView.safeParse(body);
      const wamid = sent.success ? sent.data.messages[0]?.id : undefined;
      return wamid === undefined ? { outcome: 'unknown', why: 'unreadable_answer' } : { outcome: 'accepted', wamid };
    }
    const failed = ErrorView.safeParse(body);
    const { status } = response;
    // A gateway on the way may say 5xx although the provider took the message; only the provider's own error says that it did not.
    if (!failed.success && status >= 500) return { outcome: 'unknown', why: 'unreadable_answer' };
    const code = failed.success ? failed.data.error.code : null;
    return { outcome: 'refused', reason: status === 429 && code === null ? 'throughput_limited' : refusalOf(code), code, status };
  }

  /** Where the bytes are. The link lives five minutes. */
  async mediaInfo(mediaId: string, phoneNumberId: string): Promise<MediaLookup> {
    const query = new URLSearchParams({ phone_number_id: phoneNumberId });
    try {
      const response = await this.#fetch(`${this.#base}/${encodeURIComponent(mediaId)}?${query.toString()}`, {
        headers: this.#headers,
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      const body = await readJson(response);
      if (response.ok) {
        const view = MediaInfoView.safeParse(body);
        if (!view.success) return { outcome: 'retry' };
        const { url, mime_type, sha256, file_size } = view.data;
        const info = { url, mimeType: mime_type ?? 'application/octet-stream', sha256: sha256 ?? null, bytes: file_size ?? null };
        return { outcome: 'found', info };
      }
      const failed = ErrorView.safeParse(body);
      // Graph answers 400 with code 100 for an object that does not exist.
      const absent = response.status === 400 && failed.success && failed.data.error.code === 100;
      return { outcome: absent || response.status === 404 || response.status === 410 ? 'gone' : 'retry' };
    } catch {
      return { outcome: 'retry' };
    }
  }

  async downloadMedia(url: string, maxBytes: number): Promise<MediaDownload> {
    const target = new URL(url);
    const isMediaHost = target.protocol === 'https:' && MEDIA_HOST.test(target.hostname);
    if (target.origin !== new URL(this.#base).origin && !isMediaHost) return { outcome: 'refused' };
    try {
      const response = await this.#fetch(target, {
        headers: this.#headers,
        redirect: 'error',
        signal: AbortSignal.timeout(this.#downloadTimeoutMs),
      });
      if (!response.ok || !response.body) {
        await response.body?.cancel();
        return { outcome: response.status === 404 || response.status === 410 ? 'gone' : 'retry' };
      }
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        size += chunk.length;
        if (size > maxBytes) return { outcome: 'too_big' };
        chunks.push(chunk);
      }
      return { outcome: 'bytes', bytes: Buffer.concat(chunks) };
    } catch {
      return { outcome: 'retry' };
    }
  }
}

const payloadOf = (message: OutgoingMessage): Record<string, unknown> => {
  const { content } = message;
  return {
    messaging_product: 'whatsapp',
    recipient_type: message.recipientType ?? 'individual',
    ...(message.to === undefined ? {} : { to: message.to }),
    ...(message.recipient === undefined ? {} : { recipient: message.recipient }),
    ...(message.contextWamid === undefined ? {} : { context: { message_id: message.contextWamid } }),
    biz_opaque_callback_data: message.callbackData,
    type: content.type,
    ...(content.type === 'text'
      ? { text: { body: content.body } }
      : {
          template: {
            name: content.name,
            language: { code: content.language },
            ...(content.components === undefined ? {} : { components: content.components }),
          },
        }),
  };
};

/** The body as JSON, or undefined when it is none. Errors of the connection pass. */
const readJson = async (response: Response): Promise<unknown> => {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
