const KEY = "event:";
const SENT_AT_BYTES = 40;
const BEACON_TRUSTED_MS = 23 * 3_600_000;

/**
 * Events that are not answered yet, oldest first. Each is on the device under a key of its own, so that tabs never overwrite each other's,
 * and an event that two tabs send is one to the collector.
 */
export class Outbox {
  #store;
  #limits;
  #onDropped;
  #entries = new Map();
  #bytes = 0;
  dropped = 0;

  /**
   * @param {import("./device_store.js").DeviceStore} store - where events outlive the page
   * @param {{queueEvents: number, queueBytes: number}} limits - beyond them the oldest events are dropped
   * @param {(count: number) => void} onDropped - called with how many were
   */
  constructor(store, limits, onDropped) {
    this.#store = store;
    this.#limits = limits;
    this.#onDropped = onDropped;
  }

  get size() {
    return this.#entries.size;
  }

  /**
   * Take over what earlier pages left. A beacon has no answer, so its events come again; after a day the collector would refuse them as late.
   * @param {number} now - milliseconds since 1970
   */
  adopt(now) {
    const left = [];
    for (const key of this.#store.keys().filter((key) => key.startsWith(KEY))) {
      const event = parsed(this.#store.read(key));
      if (!event?.event_id || (event.sent_at && now - Date.parse(event.occurred_at) > BEACON_TRUSTED_MS)) this.#store.remove(key);
      else if (!this.#entries.has(event.event_id)) left.push(event);
    }
    left.sort((a, b) => (a.occurred_at < b.occurred_at ? -1 : 1)).forEach((event) => this.#hold(event));
    this.#bound();
  }

  add(event) {
    this.#hold(event);
    this.#store.write(KEY + event.event_id, JSON.stringify(event));
    this.#bound();
  }

  /**
   * The oldest events that fit into one request.
   * @param {number} most - events
   * @param {number} bytes - of the body
   * @param {boolean} isLeaving - a beacon takes nothing twice, and nothing that is longer than it may be
   */
  batch(most, bytes, isLeaving = false) {
    const events = [];
    for (const {event, size} of this.#entries.values()) {
      if (events.length >= most) break;
      if (isLeaving && event.sent_at) continue;
      if (size > bytes && (isLeaving || events.length)) continue;
      bytes -= size;
      events.push(event);
    }
    return events;
  }

  /** Remember that a beacon took events. */
  mark(events, sentAt) {
    for (const event of events) {
      event.sent_at = sentAt;
      this.#store.write(KEY + event.event_id, JSON.stringify(event));
    }
  }

  remove(events) {
    for (const {event_id} of events) {
      this.#bytes -= this.#entries.get(event_id)?.size ?? 0;
      this.#entries.delete(event_id);
      this.#store.remove(KEY + event_id);
    }
  }

  #hold(event) {
    const size = new TextEncoder().encode(JSON.stringify(event)).length + SENT_AT_BYTES;
    this.#entries.set(event.event_id, {event, size});
    this.#bytes += size;
  }

  #bound() {
    const before = this.dropped;
    for (const {event} of this.#entries.values()) {
      if (this.#entries.size <= this.#limits.queueEvents && this.#bytes <= this.#limits.queueBytes) break;
      this.remove([event]);
      this.dropped += 1;
    }
    if (this.dropped > before) this.#onDropped(this.dropped - before);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
