// The page: pictures come in, readings are confirmed or corrected, corrections go out.
const get = (id) => document.getElementById(id);

function make(tag, classes, text) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  if (text !== undefined) element.textContent = text;
  return element;
}

function telling(tag, classes, key, ...values) {
  const element = make(tag, classes);
  tell(element, key, ...values);
  return element;
}

const announce = (key, ...values) => tell(get("status"), key, ...values);

// Newest on top, in their order.
function addCards(given) {
  const made = given.map(makeCard);
  get("cards").prepend(...made.map((card) => card.element));
  get("empty").hidden = cards.size > 0;
  for (const card of made) if (card.blob) ask(card);
  return made;
}

async function addFiles(files) {
  const good = files.filter((file) => file.type.startsWith("image/") || /\.(tiff?|jp2|p[bgpn]m)$/i.test(file.name));
  const bad = files.find((file) => !good.includes(file));
  if (bad) announce("notPicture", bad.name);
  const added = addCards(good.map((file) => ({ file, name: file.name || say("pasted") })));
  for (const card of added) {
    Object.assign(card, await prepared(card.file));
    if (card.isGone) continue;
    if (card.isLine) ask(card);
    else showPhoto(card);
  }
  if (added.length === 1 && !added[0].isLine && !added[0].isGone) openCrop(added[0]);
}

function remove(card) {
  card.isGone = true;
  const after = card.element.nextElementSibling ?? card.element.previousElementSibling;
  card.element.remove();
  cards.delete(card.element);
  URL.revokeObjectURL(card.url);
  get("empty").hidden = cards.size > 0;
  (after?.querySelector("input, button") ?? get("files")).focus();
}

function markKept(card) {
  setState(card, "kept", "savedState");
  card.undo.hidden = false;
  card.field.value = card.record.text;
}

// Keep a reading with its text, right or corrected, and go on to the next one.
async function confirmText(card, text) {
  const label = asLabel(text);
  if (!label) {
    tell(card.problem, "emptyText");
    card.field.focus();
    return;
  }
  tell(card.problem, "");
  const bytes = await card.blob.arrayBuffer();
  const id = card.record?.id ?? newId();
  const { name, reading: { text: read, model } } = card;
  const record = { id, name, text: label, reading: read, model, suffix: suffixOf(bytes), bytes };
  try {
    await corrections.put(record);
  } catch {
    tell(card.problem, "noRoom");
    return;
  }
  card.record = record;
  markKept(card);
  await countKept();
  announce("saved", label);
  goOn(card);
}

function goOn(card) {
  const open = [...get("cards").children].filter((one) => cards.get(one).reading && !cards.get(one).record);
  const following = open.find((one) => card.element.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
  const element = following ?? open[0];
  if (!element) {
    announce("allDone");
    return;
  }
  cards.get(element).field?.focus();
  element.scrollIntoView({ block: "nearest" });
}

async function undo(card) {
  await corrections.remove(card.record.id);
  card.record = null;
  card.undo.hidden = true;
  card.field.value = card.reading.text;
  setState(card, "", "state", percent(card.reading.confidence));
  await countKept();
  announce("undone");
  card.field.focus();
}

async function countKept() {
  const count = await corrections.count();
  tell(get("kept"), "kept", count);
  for (const id of ["download", "forget"]) get(id).disabled = count === 0;
}

async function download() {
  const records = await corrections.all();
  const archive = trainable(records);
  if (!archive) {
    announce("tooMany", MOST_FILES);
    return;
  }
  const link = make("a");
  link.href = URL.createObjectURL(archive);
  const now = new Date();
  const stamp = new Date(now - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 16).replace(/[-:]/g, "");
  link.download = `corrections-${stamp}.zip`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  announce("downloaded", records.length, link.download);
}

async function forgetAll() {
  get("forget-ask").close();
  await corrections.clear();
  for (const card of cards.values()) if (card.record) {
    card.record = null;
    card.undo.hidden = true;
    setState(card, "", "state", percent(card.reading.confidence));
  }
  await countKept();
  announce("forgotten");
}

function start() {
  setLanguage(chosenLanguage());
  const other = get("language");
  const nameOther = () => {
    tell(other, "other");
    other.lang = language === "zh" ? "en" : "zh-Hans";
  };
  nameOther();
  other.addEventListener("click", () => {
    setLanguage(language === "zh" ? "en" : "zh");
    nameOther();
    try { localStorage.setItem("crnn-language", language); } catch { /* for now, then */ }
  });
  for (const id of ["files", "camera"]) get(id).addEventListener("change", () => {
    const files = [...get(id).files];
    get(id).value = "";
    addFiles(files);
  });
  addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    addFiles(files);
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    get("add").classList.add("over");
  });
  for (const end of ["dragleave", "drop"]) addEventListener(end, () => get("add").classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    addFiles([...event.dataTransfer.files]);
  });
  get("download").addEventListener("click", download);
  get("forget").addEventListener("click", () => get("forget-ask").showModal());
  get("forget-no").addEventListener("click", () => get("forget-ask").close());
  get("forget-yes").addEventListener("click", forgetAll);
  startCrop();
  startReading();
  countKept().then(async () => { if (!await corrections.isKept()) announce("notKept"); });
}

start();
