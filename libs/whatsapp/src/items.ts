import type { Identity } from './identifiers.js';

export type RawObject = Readonly<Record<string, unknown>>;

/** Where an item stood. */
export type Place = {
  readonly wabaId: string;
  readonly field: string;
  readonly phoneNumberId: string | null;
  readonly displayPhoneNumber: string | null;
  /** `entry[].time`; account-level fields carry it, messages do not. */
  readonly entryTime: Date | null;
};

type Base = Place & {
  /** The array element alone, exactly as parsed: unknown properties are kept, and ids are made from it. */
  readonly raw: unknown;
  /** The entry of contacts[] that belongs to the item. */
  readonly contact: RawObject | null;
  readonly metadata: RawObject | null;
  /** The provider's time of the item; null when it gave none. */
  readonly at: Date | null;
};

export type MediaPart = {
  readonly providerMediaId: string;
  readonly mimeType: string;
  readonly sha256: string | null;
  readonly voice: boolean;
};

export type PricingPart = {
  readonly model: string | null;
  readonly type: string | null;
  readonly category: string | null;
  readonly subtype: string | null;
  readonly billable: boolean | null;
};

export type MessageItem = Base & {
  readonly kind: 'message';
  readonly wamid: string;
  readonly type: string;
  readonly sender: Identity;
  readonly groupId: string | null;
  /** The message that is quoted, reacted to, edited or revoked. */
  readonly contextWamid: string | null;
  readonly media: MediaPart | null;
  readonly referral: boolean;
};

export type StatusItem = Base & {
  readonly kind: 'status';
  readonly wamid: string;
  readonly status: string;
  /** The recipient; of a group message the participant. */
  readonly recipient: Identity;
  readonly groupId: string | null;
  readonly callbackData: string | null;
  readonly pricing: PricingPart | null;
  readonly origin: { readonly type: string | null; readonly expiresAt: Date | null } | null;
  readonly errorCodes: readonly number[];
};

export type CallItem = Base & {
  readonly kind: 'call';
  readonly callId: string;
  readonly event: string;
  readonly direction: string | null;
  readonly status: string | null;
  readonly user: Identity;
};

export type EchoItem = Base & {
  readonly kind: 'echo';
  readonly wamid: string;
  readonly type: string;
  readonly recipient: Identity;
};

export type IdentityItem = Base & {
  readonly kind: 'identity';
  readonly change: string;
  /** Of a system message; `user_id_update` has none. */
  readonly wamid: string | null;
  readonly previous: Identity;
  readonly current: Identity;
};

export type PreferenceItem = Base & {
  readonly kind: 'preference';
  readonly category: string;
  readonly value: string;
  readonly user: Identity;
};

/** A known field that concerns no single customer; the item is the whole value. */
export type AccountItem = Base & { readonly kind: 'account'; readonly event: string | null };

export type UnknownItem = Base & { readonly kind: 'unknown'; readonly reason: 'unknown_field' | 'unknown_item' };

export type WebhookItem =
  MessageItem | StatusItem | CallItem | EchoItem | IdentityItem | PreferenceItem | AccountItem | UnknownItem;
