/** Fields of an event v1 that a page may give beside those that the client sets; docs/events.md says what each is. */
export interface EventFields {
  item_id?: string;
  query?: string;
  surface?: string;
  request_id?: string;
  position?: number;
  source?: string;
  bundle?: string;
  variant?: string;
  experiments?: ExperimentArm[];
  dwell_ms?: number;
  quantity?: number;
  unit_price?: number;
  unit_discount?: number;
  /** ISO 4217. */
  currency?: string;
  device?: string;
  channel?: string;
  store_id?: string;
  custom_type?: string;
  properties?: Record<string, unknown>;
}

/** The variant of one experiment that the customer is in. */
export interface ExperimentArm {
  experiment: string;
  variant: string;
  layer: string;
}

/** Types that a browser key may send. */
export type BrowserEventType =
  | "page_view"
  | "product_view"
  | "add_to_cart"
  | "remove_from_cart"
  | "add_to_wish_list"
  | "remove_from_wish_list"
  | "search"
  | "search_result"
  | "filter"
  | "seen_impression"
  | "click"
  | "dwell"
  | "custom";

/** What the customer allows; false where left out. */
export interface Consent {
  personalisation?: boolean;
  analytics?: boolean;
}

/** Why the collector refused an event. */
export interface Refusal {
  /** Place of the event in the request. */
  index: number;
  field: string | null;
  reason: string;
  kind: string;
}

/** An event as the client sends it. */
export interface SentEvent extends EventFields {
  event_id: string;
  event_type: string;
  /** UTC, ISO 8601. */
  occurred_at: string;
  session_id: string;
  user_id?: string;
  consent: boolean;
  consent_analytics: boolean;
}

export interface Options {
  /** The collector's `/v1/events`, or a path of the shop's own. */
  endpoint: string;
  key?: string;
  consent?: Consent;
  /** Fields of every event. */
  context?: EventFields;
  sessionId?: string;
  flushMs?: number;
  batchEvents?: number;
  queueEvents?: number;
  queueBytes?: number;
  timeoutMs?: number;
  retryMs?: number;
  retryMostMs?: number;
  watchClicks?: boolean;
  watchSeen?: boolean;
  measureDwell?: boolean;
  onRefused?: (event: SentEvent, refusal: Refusal) => void;
  onDropped?: (count: number) => void;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** From 0 to 1. */
  random?: () => number;
}

/** docs/clients.md says what each is. */
export const DEFAULTS: Required<Omit<Options, "endpoint">>;

/** Sends what a page sees to endcap's collector. */
export class EndcapClient {
  /** @throws {TypeError} without an endpoint */
  constructor(options: Options);

  /** The `event_id` of the last view of a page or product. */
  pageViewId: string | undefined;
  /** The visit's id, the same in all tabs; predict requests send it too. */
  get sessionId(): string;
  /** Events that are not answered yet. */
  get waiting(): number;
  /** Events that were dropped because too many waited. */
  get dropped(): number;

  /** Who the customer is from now on; nothing after a log-out. */
  identify(userId: string | null | undefined): void;
  /** What the customer allows from now on. Without `analytics` nothing is kept on the device, and what was is removed. */
  setConsent(consent: Consent): void;

  pageView(fields?: EventFields): void;
  productView(itemId: string, fields?: EventFields): void;
  search(query: string, fields?: EventFields): void;
  searchResult(query: string, itemId: string, fields?: EventFields): void;
  filter(query: string, fields?: EventFields): void;
  addToCart(itemId: string, fields?: EventFields): void;
  removeFromCart(itemId: string, fields?: EventFields): void;
  addToWishList(itemId: string, fields?: EventFields): void;
  removeFromWishList(itemId: string, fields?: EventFields): void;
  click(itemId: string, fields?: EventFields): void;
  seen(itemId: string, requestId: string, position: number, fields?: EventFields): void;
  /** `milliseconds` the page was in front. */
  dwell(milliseconds: number, fields?: EventFields): void;
  custom(customType: string, properties: Record<string, unknown>, fields?: EventFields): void;
  /** Any event a page may send; the event's id. */
  track(eventType: BrowserEventType, fields?: EventFields): string;

  /** Send what waits; done when all of it is answered, or the collector has to be tried again later. */
  flush(): Promise<void>;
  /** Send what waits as a page that leaves does, and stop. */
  close(): void;
}
