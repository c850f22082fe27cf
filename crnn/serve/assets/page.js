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
  announce(bad && "notPicture", bad?.name);
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
  startCrop();
  startReading();
  startKept();
}

start();
