import {DeviceStore} from "./device_store.js";
import {Outbox} from "./outbox.js";
import {watchClicks, watchSeen} from "./places.js";
import {bodyOf, send} from "./request.js";
import {Session} from "./session.js";
import {TimeInFront} from "./time_in_front.js";
import {uuid} from "./uuid.js";

/** Bytes of one request. Browsers take 64 KiB of a page that leaves, of all its requests together. */
const BODY_BYTES = 60_000;

/** docs/clients.md says what each is. */
export const DEFAULTS = {
  key: "",
  consent: {personalisation: false, analytics: false},
  context: {},
  sessionId: "",
  flushMs: 5_000,
  batchEvents: 100,
  queueEvents: 1_000,
  queueBytes: 1_000_000,
  timeoutMs: 10_000,
  retryMs: 1_000,
  retryMostMs: 60_000,
  watchClicks: true,
  watchSeen: true,
  measureDwell: true,
  onRefused: (event, refusal) => console.warn("endcap refused an event", event, refusal),
  onDropped: (count) => console.warn(`endcap dropped ${count} events`),
  now: () => Date.now(),
  random: () => Math.random(),
};

/** Sends what a page sees to endcap's collector. */
export class EndcapClient {
  #options;
  #address;
  #consent;
  #userId;
  #store;
  #session;
  #outbox;
  #time;
  #lastView;
  #timer;
  #sending;
  #failures = 0;
  #mostEvents;
  #closing = new AbortController();

  /**
   * The `event_id` of the last view of a page or product.
   * @type {string | undefined}
   */
  pageViewId;

  /**
   * @param {Partial<typeof DEFAULTS> & {endpoint: string}} options - `endpoint` is the collector's `/v1/events`, or a path of the shop's own
   * @throws {TypeError} without an endpoint
   */
  constructor(options) {
    if (!options?.endpoint) throw new TypeError("endpoint: is missing; give the address of the collector's /v1/events");
    this.#options = {...DEFAULTS, ...options};
    const {endpoint, key, now, queueEvents, queueBytes, onDropped} = this.#options;
    const address = new URL(endpoint, location.href);
    if (key) address.searchParams.set("key", key);
    this.#address = address.href;
    this.#mostEvents = this.#options.batchEvents;
    this.#store = new DeviceStore(() => this.#consent.analytics);
    this.#session = new Session(this.#store, now);
    this.#outbox = new Outbox(this.#store, {queueEvents, queueBytes}, onDropped);
    this.#time = new TimeInFront(now, (itemId, milliseconds) => this.dwell(milliseconds, {item_id: itemId}));
    this.setConsent(this.#options.consent);
    this.#listen();
  }

  /** The visit's id, the same in all tabs; predict requests send it too. */
  get sessionId() {
    return this.#options.sessionId || this.#session.id;
  }

  /** Events that are not answered yet. */
  get waiting() {
    return this.#outbox.size;
  }

  /** Events that were dropped because too many waited. */
  get dropped() {
    return this.#outbox.dropped;
  }

  /** Who the customer is from now on; nothing after a log-out. */
  identify(userId) {
    this.#userId = userId || undefined;
  }

  /**
   * What the customer allows from now on. Without `analytics` nothing is kept on the device, and what was is removed.
   * @param {{personalisation?: boolean, analytics?: boolean}} consent - false where left out
   */
  setConsent({personalisation = false, analytics = false}) {
    const isWithdrawn = this.#consent?.analytics && !analytics;
    this.#consent = {personalisation, analytics};
    if (isWithdrawn) this.#store.keys().forEach((key) => this.#store.remove(key));
    if (analytics) this.#outbox.adopt(this.#options.now());
    if (this.waiting) this.#wake();
  }

  pageView(fields) {
    this.#view("page_view", fields);
  }

  productView(itemId, fields) {
    this.#view("product_view", {item_id: itemId, ...fields});
  }

  search(query, fields) {
    this.track("search", {query, ...fields});
  }

  searchResult(query, itemId, fields) {
    this.track("search_result", {query, item_id: itemId, ...fields});
  }

  filter(query, fields) {
    this.track("filter", {query, ...fields});
  }

  addToCart(itemId, fields) {
    this.track("add_to_cart", {item_id: itemId, ...fields});
  }

  removeFromCart(itemId, fields) {
    this.track("remove_from_cart", {item_id: itemId, ...fields});
  }

  addToWishList(itemId, fields) {
    this.track("add_to_wish_list", {item_id: itemId, ...fields});
  }

  removeFromWishList(itemId, fields) {
    this.track("remove_from_wish_list", {item_id: itemId, ...fields});
  }

  click(itemId, fields) {
    this.track("click", {item_id: itemId, ...fields});
  }

  seen(itemId, requestId, position, fields) {
    this.track("seen_impression", {item_id: itemId, request_id: requestId, position, ...fields});
  }

  /** @param {number} milliseconds - the page was in front */
  dwell(milliseconds, fields) {
    this.track("dwell", {dwell_ms: milliseconds, ...fields});
  }

  custom(customType, properties, fields) {
    this.track("custom", {custom_type: customType, properties, ...fields});
  }

  /**
   * Any event a page may send.
   * @param {string} eventType - of the contract
   * @param {object} fields - of the contract, by its names
   * @returns {string} the event's id
   */
  track(eventType, fields) {
    const {personalisation: consent, analytics: consent_analytics} = this.#consent;
    const {now, context, batchEvents} = this.#options;
    const event = {
      event_id: uuid(),
      event_type: eventType,
      occurred_at: new Date(now()).toISOString(),
      session_id: this.sessionId,
      user_id: consent_analytics ? this.#userId : undefined,
      consent,
      consent_analytics,
      ...context,
      ...fields,
    };
    this.#outbox.add(event);
    if (this.waiting >= batchEvents && !this.#failures) this.flush();
    else this.#wake();
    return event.event_id;
  }

  /** Send what waits; done when all of it is answered, or the collector has to be tried again later. */
  flush() {
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  /** Send what waits as a page that leaves does, and stop. */
  close() {
    this.#leave();
    clearTimeout(this.#timer);
    this.#closing.abort();
  }

  #view(eventType, fields) {
    this.#lastView = [eventType, fields];
    this.#time.begin(this.#options.measureDwell ? fields?.item_id : undefined);
    this.pageViewId = this.track(eventType, fields);
  }

  /** Send in a while, unless that is planned already. */
  #wake() {
    if (this.#timer === undefined) this.#plan(this.#options.flushMs);
  }

  #plan(afterMs) {
    clearTimeout(this.#timer);
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, afterMs);
  }

  async #drain() {
    const {now, timeoutMs, onRefused} = this.#options;
    for (let events; (events = this.#outbox.batch(this.#mostEvents, BODY_BYTES)).length; ) {
      const {refused, isTooLong, retryAfterMs} = await send(this.#address, events, new Date(now()).toISOString(), timeoutMs);
      if (isTooLong) {
        this.#mostEvents = Math.ceil(events.length / 2);
      } else if (refused) {
        this.#failures = 0;
        this.#outbox.remove(events);
        for (const refusal of refused) queueMicrotask(() => onRefused(events[refusal.index], refusal));
      } else {
        this.#plan(this.#pause(retryAfterMs));
        return;
      }
    }
  }

  /** Milliseconds until the next try: twice as long each time, from half to all of it, so that pages do not come at once. */
  #pause(leastMs) {
    const {retryMs, retryMostMs, random} = this.#options;
    const longest = Math.min(retryMostMs, retryMs * 2 ** this.#failures);
    this.#failures += 1;
    return leastMs + (longest * (1 + random())) / 2;
  }

  #listen() {
    const {watchClicks: clicks, watchSeen: seen, now} = this.#options;
    const {signal} = this.#closing;
    addEventListener("pagehide", () => this.#leave(), {signal});
    addEventListener("online", () => this.#retryNow(), {signal});
    // A page that comes back from the browser's cache is opened again, although none of its scripts is.
    addEventListener("pageshow", (event) => event.persisted && this.#return(), {signal});
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#leave() : this.#time.resume()), {signal});
    if (clicks) watchClicks((place) => this.track("click", place), now, signal);
    if (seen) watchSeen((place) => this.track("seen_impression", place), signal);
  }

  #return() {
    this.#time.drop();
    if (this.#lastView) this.#view(...this.#lastView);
  }

  #retryNow() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#failures = 0;
    this.flush();
  }

  /** Send by a beacon, which outlives the page. What it does not take, or may have lost, the next page sends. */
  #leave() {
    this.#time.pause();
    const events = this.#outbox.batch(Infinity, BODY_BYTES, true);
    if (!events.length) return;
    const sentAt = new Date(this.#options.now()).toISOString();
    const body = bodyOf(events, sentAt);
    if (navigator.sendBeacon?.(this.#address, new Blob([body], {type: "text/plain"}))) this.#outbox.mark(events, sentAt);
    else fetch(this.#address, {method: "POST", body, keepalive: true}).catch(() => {});
  }
}
