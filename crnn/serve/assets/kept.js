// What is kept: readings that were confirmed or corrected, until they are downloaded and forgotten.
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
  const id = (card.recordId ??= newId()); // before anything is waited for: Enter may be pressed again meanwhile
  const bytes = await card.blob.arrayBuffer();
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

// The card of a correction that is no longer kept shows its reading again.
function release(card) {
  card.record = null;
  card.undo.hidden = true;
  card.field.value = card.reading.text;
  setState(card, "", "state", percent(card.reading.confidence));
}

async function drop(id) {
  await corrections.remove(id);
  for (const card of cards.values()) if (card.record?.id === id) release(card);
  await countKept();
  announce("undone");
}

async function undo(card) {
  await drop(card.record.id);
  card.field.focus();
}

async function countKept() {
  const count = await corrections.count();
  tell(get("kept"), "kept", count);
  for (const id of ["download", "forget"]) get(id).disabled = count === 0;
  get("kept-all").hidden = count === 0;
  if (get("kept-all").open) await listKept();
}

// All corrections, the newest first; each can be taken back, also those of an earlier visit.
async function listKept() {
  const records = (await corrections.all()).reverse();
  get("kept-list").replaceChildren(...records.map(({ id, name, text, bytes }) => {
    const item = make("li");
    const image = make("img");
    image.alt = name;
    image.src = URL.createObjectURL(new Blob([bytes]));
    image.onload = image.onerror = () => URL.revokeObjectURL(image.src);
    const label = make("span", "", text);
    label.dir = "auto";
    const away = button("remove", async () => {
      await drop(id);
      (get("kept-list").querySelector("button") ?? get("files")).focus();
    });
    Object.assign(away.dataset, { label: "removeText", values: JSON.stringify([text]) });
    show(away);
    item.append(image, label, away);
    return item;
  }));
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
  announce("downloaded", records.length, link.download, get("model").value || "bundled");
}

async function forgetAll() {
  get("forget-ask").close();
  await corrections.clear();
  for (const card of cards.values()) if (card.record) release(card);
  await countKept();
  announce("forgotten");
}

function startKept() {
  get("download").addEventListener("click", download);
  get("forget").addEventListener("click", () => get("forget-ask").showModal());
  get("forget-no").addEventListener("click", () => get("forget-ask").close());
  get("forget-yes").addEventListener("click", forgetAll);
  get("kept-all").addEventListener("toggle", () => { if (get("kept-all").open) listKept(); });
  countKept().then(async () => { if (!await corrections.isKept()) announce("notKept"); });
}
