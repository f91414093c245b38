import {uuid} from "./uuid.js";

const KEY = "session";
const GAP_MS = 30 * 60_000;

/** The visit: one id for all tabs, until nothing happened for half an hour. */
export class Session {
  #store;
  #now;
  #kept;

  /**
   * @param {import("./device_store.js").DeviceStore} store - where tabs share it
   * @param {() => number} now - milliseconds since 1970
   */
  constructor(store, now) {
    this.#store = store;
    this.#now = now;
  }

  /** The id as of now; reading it goes on with the visit. */
  get id() {
    const last = this.#shared() ?? this.#kept;
    const now = this.#now();
    const id = last && now - last.at <= GAP_MS ? last.id : uuid();
    this.#kept = {id, at: now};
    this.#store.write(KEY, JSON.stringify(this.#kept));
    return id;
  }

  #shared() {
    try {
      const {id, at} = JSON.parse(this.#store.read(KEY));
      return id && at ? {id, at} : undefined;
    } catch {
      return undefined;
    }
  }
}
