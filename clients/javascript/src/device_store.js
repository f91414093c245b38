const PREFIX = "endcap:";

/**
 * localStorage, which all tabs and later pages of the shop share, as far as the customer and the browser allow it.
 * What cannot be kept is not there when it is read.
 */
export class DeviceStore {
  #mayKeep;

  /** @param {() => boolean} mayKeep - whether anything may be kept on the device now */
  constructor(mayKeep) {
    this.#mayKeep = mayKeep;
  }

  read(key) {
    return this.#mayKeep() ? this.#attempt((storage) => storage.getItem(PREFIX + key)) : undefined;
  }

  write(key, value) {
    if (this.#mayKeep()) this.#attempt((storage) => storage.setItem(PREFIX + key, value));
  }

  remove(key) {
    this.#attempt((storage) => storage.removeItem(PREFIX + key));
  }

  keys() {
    const all = this.#attempt(Object.keys) ?? [];
    return all.filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));
  }

  /** Storage may be full or forbidden; events are then kept by the page alone. */
  #attempt(action) {
    try {
      return action(localStorage);
    } catch {
      return undefined;
    }
  }
}
