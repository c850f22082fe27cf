// Asking the server: a few pictures at once, again when it is busy, and words for whatever goes wrong.
const AT_ONCE = 2;
const MOST_TRIES = 20; // answers of 429 to one picture
const PATIENCE = 120_000; // milliseconds
const waiting = [];
let running = 0;
let pausedUntil = 0; // a time, after a 429

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// What is said to the user instead of a reading.
class Problem extends Error {
  constructor(key, ...values) {
    super(key);
    Object.assign(this, { key, values });
  }
}

function apiKey() {
  try { return sessionStorage.getItem("crnn-key") ?? ""; } catch { return get("key").value; }
}

function askForKey(key) {
  get("key-form").hidden = false;
  announce(key);
  get("key").focus();
}

async function fetched(path, options = {}) {
  const headers = { ...options.headers, ...(apiKey() ? { Authorization: `Bearer ${apiKey()}` } : {}) };
  try {
    return await fetch(path, { ...options, headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    throw new Problem(error.name === "TimeoutError" ? "noAnswer" : "noServer");
  }
}

async function content(answer) {
  try {
    return await answer.json();
  } catch {
    throw new Problem("noSense", answer.status);
  }
}

async function loadModels() {
  const answer = await fetched("models");
  if (answer.status === 401) {
    askForKey(apiKey() ? "keyWrong" : "keyWanted");
    throw new Problem("e401");
  }
  const { models } = await content(answer);
  if (!Array.isArray(models)) throw new Problem("noSense", answer.status);
  get("key-form").hidden = true;
  const chosen = get("model").value;
  get("model").replaceChildren(...models.map((one) => {
    const option = make("option", "", one.name);
    option.value = one.name;
    option.selected = chosen ? one.name === chosen : one.default;
    return option;
  }));
}

// The reading of one picture, and the seconds that it took.
async function readOnce(card) {
  const query = new URLSearchParams({ nbest: get("nbest").value, spans: "true" });
  if (get("model").value) query.set("model", get("model").value);
  const headers = { "Content-Type": card.blob.type.startsWith("image/") ? card.blob.type : "application/octet-stream" };
  for (let tries = 1; ; tries++) {
    while (Date.now() < pausedUntil) {
      tell(card.state, "busy", Math.ceil((pausedUntil - Date.now()) / 1000));
      await pause(Math.min(1000, pausedUntil - Date.now()));
    }
    tell(card.state, "reading");
    const start = performance.now();
    const answer = await fetched(`recognize?${query}`, { method: "POST", body: card.blob, headers });
    if (answer.status === 429 && tries < MOST_TRIES) {
      const seconds = Number(answer.headers.get("Retry-After"));
      pausedUntil = Math.max(pausedUntil, Date.now() + 1000 * Math.min(60, seconds > 0 ? seconds : 1));
      continue;
    }
    return [understood(answer, await content(answer)), (performance.now() - start) / 1000];
  }
}

// The reading within an answer.
function understood(answer, body) {
  const result = body?.results?.[0];
  if (answer.ok && typeof result?.text === "string") return { ...result, model: `${body.model}@${body.version}` };
  const said = result?.error ?? body?.error?.message;
  if (answer.status === 401) {
    askForKey(apiKey() ? "keyWrong" : "keyWanted");
    throw new Problem("e401");
  }
  if (typeof said !== "string") throw new Problem("noSense", answer.status);
  const key = result?.error ? "e422" : `e${answer.status}`;
  throw new Problem(Object.hasOwn(WORDS.en, key) ? key : "eOther", said);
}

// Put a picture into the queue.
function ask(card) {
  if (card.isAsked) return;
  card.isAsked = true;
  setState(card, "busy", "waiting");
  tell(card.problem, "");
  waiting.push(card);
  next();
}

async function next() {
  if (running >= AT_ONCE || !waiting.length) return;
  const card = waiting.shift();
  running += 1;
  try {
    if (!card.isGone) showReading(card, ...await readOnce(card));
  } catch (error) {
    const { key, values } = error instanceof Problem ? error : { key: "eOther", values: [String(error)] };
    showProblem(card, key, ...values);
  }
  card.isAsked = false;
  running -= 1;
  next();
}

// What goes wrong outside of a card; a missing key is asked for already.
function explain(error) {
  if (error.key !== "e401") announce(error.key ?? "eOther", ...(error.values ?? [String(error)]));
}

function startReading() {
  get("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    try { sessionStorage.setItem("crnn-key", get("key").value.trim()); } catch { /* stays in its field */ }
    loadModels().then(retryAll, explain);
  });
  loadModels().catch(explain);
}
