/** How long a page was in front of the customer, counted up to each time it is hidden. */
export class TimeInFront {
  #now;
  #report;
  #itemId;
  #since;

  /**
   * @param {() => number} now - milliseconds
   * @param {(itemId: string, milliseconds: number) => void} report - called with each stretch
   */
  constructor(now, report) {
    this.#now = now;
    this.#report = report;
  }

  /** Another page is looked at; without an item nothing is counted. */
  begin(itemId) {
    this.pause();
    this.#itemId = itemId;
    this.resume();
  }

  resume() {
    if (this.#itemId && !document.hidden) this.#since = this.#now();
  }

  pause() {
    if (this.#since === undefined) return;
    const milliseconds = Math.round(this.#now() - this.#since);
    this.#since = undefined;
    if (milliseconds > 0) this.#report(this.#itemId, milliseconds);
  }

  /** Forget the present stretch, in which the page was not looked at. */
  drop() {
    this.#since = undefined;
  }
}
