// Keeps a page current. Everything on it works without this script, too: it only reads the same page again and
// replaces the parts that have changed.
const main = document.querySelector('main');
const parts = [...document.querySelectorAll('[data-part], [data-text]')];
// The markup of each part as the service sent it. The page itself differs by what is open and typed.
const sent = new Map(parts.map((part) => [part, part.innerHTML]));
const changes = [
  'job-accepted',
  'job-cancel-requested',
  'slices-cancelled',
  'slices-retried',
  'slices-failed',
  'slice-starting',
  'slice-running',
  'slice-waiting',
  'slice-cancelling',
  'slice-verifying',
  'slice-completed',
  'slice-failed',
  'slice-cancelled',
  'slice-split',
  'job-ended',
];
// Shorter: a job with many events reads its page all the time. Longer: it lags behind.
const pauseMs = 1_000;
// After a refusal, and for a part that was in use. Shorter: pages load a service that is busy. Longer: they are old
// after each restart of it.
const retryMs = 15_000;
let isReading = false;
let isDue = false;
let late;
let source;

/** Reads the page again, now or when the current reading is over. A hidden page waits until it is visible. */
async function refresh() {
  isDue = true;
  if (isReading) return;
  isReading = true;
  while (isDue && !document.hidden) {
    isDue = false;
    const isAnswered = await readAgain().catch(() => false);
    if (!isAnswered) isDue = true; // no other change may follow
    await new Promise((resolve) => setTimeout(resolve, isAnswered ? pauseMs : retryMs));
  }
  isReading = false;
}

/**
 * Returns whether there was an answer. A service that is busy or restarts has one later. A part that is in use is late,
 * and the others are not.
 */
async function readAgain() {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
  if (answer.redirected) {
    if (isInUse(main)) return false;
    location.reload(); // the session has ended
  }
  if (!answer.ok || answer.redirected) {
    if (answer.status >= 500 || answer.status === 429) return false;
    delete main.dataset.events; // this caller may no longer see it
    return true;
  }
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  let isPartLeft = false;
  for (const part of parts) {
    const current = page.getElementById(part.id);
    if (!current || current.innerHTML === sent.get(part)) continue;
    if (isInUse(part)) isPartLeft = true;
    else replace(part, current);
  }
  const events = page.querySelector('main').dataset.events;
  if (events) main.dataset.events = events;
  else delete main.dataset.events;
  clearTimeout(late);
  if (isPartLeft) late = setTimeout(() => void refresh(), retryMs);
  return true;
}

/** Whether a part has a field with the focus or with typed text, or selected text. A replacement would lose it. */
function isInUse(part) {
  const selection = getSelection();
  if (!selection.isCollapsed && selection.containsNode(part, true)) return true;
  return [...part.querySelectorAll('input')].some(
    (field) => field === document.activeElement || field.value !== field.defaultValue,
  );
}

/** Replaces a part. Keeps what is open, how far it is scrolled, and what has the focus. */
function replace(part, current) {
  sent.set(part, current.innerHTML);
  const focused = part.contains(document.activeElement) ? document.activeElement : undefined;
  const successor = focused && (successorOf(focused, current) ?? main);
  for (const { id } of part.querySelectorAll('details[open]')) {
    current.querySelector(`#${id}`)?.setAttribute('open', '');
  }
  const scrolled = [...part.querySelectorAll('.scroll')].map(({ scrollLeft }) => scrollLeft);
  part.replaceChildren(...current.childNodes);
  for (const [index, element] of part.querySelectorAll('.scroll').entries()) {
    element.scrollLeft = scrolled[index] ?? 0;
  }
  addLocalTimes(part);
  successor?.focus({ preventScroll: true });
}

/** The element that takes the place of another one: with its id, or with its text and link. */
function successorOf(element, current) {
  const { id, localName, textContent, href } = element;
  if (id) return current.querySelector(`#${id}`);
  return [...current.querySelectorAll(localName)].find(
    (other) => other.textContent === textContent && other.href === href,
  );
}

/** Follows the events of a job. A hidden page has no stream: a browser opens only six to a server. */
function follow() {
  const { events } = main.dataset;
  if (!events || document.hidden) return;
  const opened = new EventSource(events);
  source = opened;
  for (const type of changes) opened.addEventListener(type, () => void refresh());
  opened.addEventListener('job-ended', () => opened.close());
  // The browser connects again after a break, but not after a refusal.
  opened.addEventListener('error', () => {
    if (opened.readyState !== EventSource.CLOSED) return;
    setTimeout(() => opened === source && resume(), retryMs);
  });
}

/** Follows the events again. A page that had a stream may have missed some. */
function resume() {
  source?.close();
  if (document.hidden) return;
  if (source || isDue) void refresh();
  follow();
}

function addLocalTimes(root) {
  for (const time of root.querySelectorAll('time')) {
    time.title = new Date(time.dateTime).toLocaleString();
  }
}

addLocalTimes(document);
follow();
const { refresh: seconds } = main.dataset;
if (seconds) setInterval(() => void refresh(), Number(seconds) * 1_000);
document.addEventListener('visibilitychange', resume);
