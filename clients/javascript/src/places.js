const ITEM = "[data-endcap-item]";
const LISTED = ["item", "request", "position", "surface"].map((name) => `data-endcap-${name}`);
const SEEN_MS = 1_000;
const DOUBLE_CLICK_MS = 500;

/** What an element's attributes say of its place in a list; request and surface may stand on an element around it. */
function placeOf(element) {
  const said = (name) => element.closest(`[data-endcap-${name}]`)?.getAttribute(`data-endcap-${name}`) || undefined;
  return {item_id: said("item"), request_id: said("request"), position: Number(said("position")) || undefined, surface: said("surface")};
}

const keyOf = (place) => JSON.stringify([place.request_id, place.item_id, place.position]);

/**
 * Clicks on items of lists, by any button that opens a link. The second click of a double click means the same and is left out.
 * @param {(place: object) => void} report - called with the place
 * @param {() => number} now - milliseconds
 * @param {AbortSignal} signal - ends it
 */
export function watchClicks(report, now, signal) {
  let last = {};
  const listen = (event) => {
    const element = event.target.closest?.(ITEM);
    if (!element || event.button > 1) return;
    const place = placeOf(element);
    const key = keyOf(place);
    const isRepeated = key === last.key && now() - last.at < DOUBLE_CLICK_MS;
    last = {key, at: now()};
    if (!isRepeated) report(place);
  };
  for (const kind of ["click", "auxclick"]) document.addEventListener(kind, listen, {capture: true, signal});
}

/**
 * Items of recommended lists that were half in view for a second, each place of a list once. Lists may come and change later.
 * @param {(place: object) => void} report - called with the place
 * @param {AbortSignal} signal - ends it
 */
export function watchSeen(report, signal) {
  const reported = new Set();
  const inView = new Map();
  const wait = (element) => {
    clearTimeout(inView.get(element));
    inView.set(element, document.hidden ? undefined : setTimeout(() => note(element), SEEN_MS));
  };
  const note = (element) => {
    const place = placeOf(element);
    const key = keyOf(place);
    if (!place.request_id || !place.position || reported.has(key)) return;
    reported.add(key);
    report(place);
  };
  const views = new IntersectionObserver(
    (changes) => {
      for (const {target, intersectionRatio} of changes) {
        if (intersectionRatio >= 0.5) wait(target);
        else clearTimeout(inView.get(target)), inView.delete(target);
      }
    },
    {threshold: 0.5},
  );
  const watch = (root) => {
    for (const element of [root, ...root.querySelectorAll(ITEM)]) {
      // Observed anew, it is looked at again although it did not move.
      if (element.matches?.(ITEM)) views.unobserve(element), views.observe(element);
    }
  };
  const lists = new MutationObserver((changes) => {
    for (const {type, target, addedNodes} of changes) {
      for (const node of type === "attributes" ? [target] : addedNodes) if (node.querySelectorAll) watch(node);
    }
  });
  watch(document);
  lists.observe(document, {subtree: true, childList: true, attributeFilter: LISTED});
  document.addEventListener("visibilitychange", () => [...inView.keys()].forEach(wait), {signal});
  signal.addEventListener("abort", () => {
    views.disconnect();
    lists.disconnect();
    inView.forEach(clearTimeout);
  });
}
