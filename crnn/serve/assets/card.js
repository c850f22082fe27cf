// One picture and its reading: characters and their places, alternatives, and the text that may be corrected.
const SURE = 0.9;
const UNSURE = 0.6;
const cards = new Map(); // element -> card


// Near the ends with a decimal; 100 is 1 and nothing else.
function percent(share) {
  const exact = 100 * share;
  return exact < 1 || exact > 99 ? Math.min(share < 1 ? 99.9 : 100, Math.round(10 * exact) / 10) : Math.round(exact);
}

const grade = (share) => (share >= SURE ? "" : share >= UNSURE ? "unsure" : "doubtful");

// given: {file, name} and what `prepared` says.
function makeCard(given) {
  const card = { ...given, url: URL.createObjectURL(given.file), parts: 0, record: null, reading: null };
  const element = make("li");
  card.element = element;
  const head = make("div", "head");
  const name = make("h3", "", card.name);
  name.id = `card-${cards.size + 1}-${newId()}`;
  element.setAttribute("aria-labelledby", name.id);
  card.state = make("span", "state");
  head.append(name, card.state);
  card.view = make("div", "view");
  card.problem = make("p", "problem");
  card.problem.setAttribute("role", "alert");
  card.body = make("div");
  card.tools = make("div", "row");
  element.append(head, card.view, card.problem, card.body, card.tools);
  showPicture(card);
  setState(card, "busy", "waiting");
  cards.set(element, card);
  return card;
}

function showPicture(card) {
  const box = make("div", "pic");
  const image = make("img");
  image.dataset.label = "picture";
  image.dataset.values = JSON.stringify([card.name]);
  show(image);
  image.onload = () => {
    box.style.setProperty("--width", `${1.6 * image.naturalWidth}px`);
    box.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
  };
  image.onerror = () => card.view.replaceChildren(telling("p", "note", "noPreview"));
  image.src = card.url;
  box.append(image);
  card.picture = box;
  card.view.replaceChildren(box);
}

function setState(card, classes, key, ...values) {
  card.element.className = classes;
  tell(card.state, key, ...values);
}

function button(key, act, classes = "") {
  const made = telling("button", classes, key);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

// A photograph waits until it is said what of it is to be read.
function showPhoto(card) {
  setState(card, "photo", "photo");
  card.tools.replaceChildren(
    button("crop", () => openCrop(card), "main"), button("readWhole", () => ask(card)),
    button("remove", () => remove(card)));
}

function showProblem(card, key, ...values) {
  const hadFocus = card.element.contains(document.activeElement);
  setState(card, "", "");
  tell(card.problem, key, ...values);
  const tools = [button("retry", () => ask(card), "main"), button("remove", () => remove(card))];
  if (card.width) tools.splice(1, 0, button("crop", () => openCrop(card)));
  card.hasFailed = true;
  card.reading = null;
  card.body.replaceChildren();
  card.tools.replaceChildren(...tools);
  if (hadFocus) tools[0].focus();
}

function retryAll() {
  for (const card of cards.values()) if (card.hasFailed) ask(card);
}

function showReading(card, result, seconds) {
  const hadFocus = card.element.contains(document.activeElement);
  card.reading = result;
  card.hasFailed = false;
  const sure = percent(result.confidence);
  setState(card, "", "state", sure);
  const facts = telling("p", "facts", "facts", result.model, seconds.toFixed(2));
  const edit = make("label", "edit");
  card.field = make("input");
  Object.assign(card.field, { type: "text", dir: "auto", autocomplete: "off", spellcheck: false, value: result.text });
  for (const name of ["autocapitalize", "autocorrect"]) card.field.setAttribute(name, "off");
  card.field.enterKeyHint = "next";
  card.field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) confirmText(card, card.field.value);
    else if (event.key === "Escape") card.field.value = card.record?.text ?? result.text;
    else return;
    event.preventDefault();
  });
  edit.append(telling("span", "", "text"), card.field);
  card.body.replaceChildren(characters(card, result), facts, ...others(card, result.alternatives ?? []), edit);
  card.undo = button("undo", () => undo(card));
  card.undo.hidden = true;
  card.tools.replaceChildren(
    button("save", () => confirmText(card, card.field.value), "main"),
    button("right", () => confirmText(card, result.text)), card.undo,
    ...(card.width ? [button("crop", () => openCrop(card), "quiet")] : []),
    button("again", () => ask(card), "quiet"), button("remove", () => remove(card), "quiet"));
  if (card.record) markKept(card);
  if (hadFocus) card.field.focus();
  announce("result", card.name, result.text || say("nothing"), sure);
}

// The characters; each is tied to its place on the picture: pointing at one shows the other.
function characters(card, { text, characters: all = [] }) {
  const line = make("div", "text");
  card.picture.querySelectorAll("b").forEach((box) => box.remove());
  if (!all.length) {
    tell(line, "nothing");
    return line;
  }
  const inOrder = all.map((one) => one.text).join("") === text;
  if (!inOrder) line.classList.add("picture-order"); // from left to right, as on the picture
  line.dir = inOrder ? "auto" : "ltr";
  line.setAttribute("role", "listbox");
  line.setAttribute("aria-orientation", "horizontal");
  line.dataset.label = "characters";
  show(line);
  const letters = all.map((one) => {
    const letter = make("span", grade(one.confidence), one.text);
    letter.setAttribute("role", "option");
    letter.tabIndex = -1;
    const values = JSON.stringify([one.text, percent(one.confidence)]);
    Object.assign(letter.dataset, { label: "character", title: "character", values });
    show(letter);
    return letter;
  });
  const boxes = all.map((one) => {
    const box = make("b", grade(one.confidence));
    box.setAttribute("aria-hidden", "true");
    box.style.left = `${(100 * one.start) / card.width}%`;
    box.style.width = `${(100 * (one.end - one.start)) / card.width}%`;
    return box;
  });
  line.append(...letters);
  if (card.width) card.picture.append(...boxes);
  tie(card, line, letters, boxes, all, inOrder);
  return line;
}

function tie(card, line, letters, boxes, all, inOrder) {
  letters[0].tabIndex = 0;
  const light = (number) => {
    for (const [i, letter] of letters.entries()) {
      letter.classList.toggle("on", i === number);
      letter.setAttribute("aria-selected", String(i === number));
      boxes[i].classList.toggle("on", i === number);
    }
    const box = boxes[number];
    if (box?.isConnected && card.view.scrollWidth > card.view.clientWidth) {
      card.view.scrollLeft = box.offsetLeft - card.view.clientWidth / 2;
    }
  };
  const move = (number) => {
    for (const letter of letters) letter.tabIndex = -1;
    letters[number].tabIndex = 0;
    letters[number].focus();
  };
  line.addEventListener("pointerover", (event) => light(letters.indexOf(event.target)));
  line.addEventListener("pointerleave", () => light(letters.indexOf(document.activeElement)));
  line.addEventListener("focusin", (event) => light(letters.indexOf(event.target)));
  line.addEventListener("focusout", () => light(-1));
  line.addEventListener("keydown", (event) => {
    const at = letters.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: letters.length - 1 }[event.key];
    if (to === undefined) return;
    if (letters[to]) move(to);
    event.preventDefault();
  });
  const under = (event) => {
    const area = card.picture.getBoundingClientRect();
    const x = ((event.clientX - area.left) / area.width) * card.width;
    return all.findIndex((one) => one.start <= x && x < one.end);
  };
  const select = (number) => {
    if (number < 0 || !inOrder || card.field.value !== card.reading.text) return;
    const start = all.slice(0, number).reduce((sum, one) => sum + one.text.length, 0);
    card.field.focus();
    card.field.setSelectionRange(start, start + all[number].text.length);
  };
  card.picture.onpointermove = (event) => { if (event.pointerType !== "touch") lightOnly(under(event)); };
  card.picture.onpointerleave = () => lightOnly(-1);
  card.picture.onclick = (event) => { light(under(event)); select(under(event)); };
  line.addEventListener("click", (event) => select(letters.indexOf(event.target)));
  function lightOnly(number) { // the picture must not scroll away under the pointer
    const left = card.view.scrollLeft;
    light(number);
    card.view.scrollLeft = left;
  }
}

function others(card, alternatives) {
  const other = alternatives.filter(({ text }) => text !== card.reading.text);
  if (!other.length) return [];
  const list = make("ol", "others");
  list.dataset.label = "alternatives";
  show(list);
  for (const { text, confidence } of other) {
    const use = make("button");
    use.type = "button";
    Object.assign(use.dataset, { label: "useText", values: JSON.stringify([text, percent(confidence)]) });
    show(use);
    const shown = make("span", "", text);
    shown.dir = "auto";
    use.append(shown, make("small", "", `${percent(confidence)} %`));
    use.addEventListener("click", () => {
      card.field.value = text;
      card.field.focus();
    });
    const item = make("li");
    item.append(use);
    list.append(item);
  }
  return [list];
}
