/** The body of a request: an event a line. As text/plain a browser sends it to another origin without asking first. */
export function bodyOf(events, sentAt) {
  return events.map((event) => JSON.stringify({...event, sent_at: sentAt})).join("\n");
}

/**
 * Send events once.
 * @returns {Promise<{refused?: object[], isTooLong?: boolean, retryAfterMs?: number}>} `refused` once the collector has answered for each
 *   event, `isTooLong` when fewer have to go at once, else after how long to try again at the earliest
 */
export async function send(address, events, sentAt, timeoutMs) {
  let response;
  try {
    response = await fetch(address, {method: "POST", body: bodyOf(events, sentAt), signal: AbortSignal.timeout(timeoutMs)});
  } catch {
    return {retryAfterMs: 0};
  }
  const {status} = response;
  const answer = await response.json().catch(() => ({}));
  if (answer.refused) return {refused: answer.refused};
  if (status === 413 && events.length > 1) return {isTooLong: true};
  const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  if (isFinal) return {refused: events.map((_, index) => ({index, kind: "request", reason: answer.error ?? `status ${status}`}))};
  // Also a 2xx that is no collector's: something between answered in its place.
  return {retryAfterMs: 1000 * (Number(response.headers.get("retry-after")) || 0)};
}
