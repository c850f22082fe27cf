"use strict";
// The list of lines. Texts reach the page as text nodes and attributes only, never as markup.
(() => {
  const CHUNK = 60; // lines that are made at once
  const SURE = 0.8; // a character below is marked
  const data = JSON.parse(document.getElementById("data").textContent);
  const lines = data.lines.map((f, number) => ({
    number, where: f[0], picture: f[1], source: f[2], label: f[3], reading: f[4], errors: f[5], confidence: f[6],
    doubt: f[7], columns: f[8], image: f[9], marks: f[10], logReading: f[11], logLabel: f[12],
    rate: f[5] / Math.max(f[3].length, 1),
  }));
  const get = (id) => document.getElementById(id);
  const [list, order, filter, search, only, count, end] =
    ["list", "order", "filter", "search", "only", "count", "end"].map(get);
  const buttons = [...document.querySelectorAll(".confusion")];
  const up = (value) => (value === null ? Infinity : value);
  const down = (value) => (value === null ? -Infinity : value);
  const orders = {
    worst: (a, b) => b.rate - a.rate || b.errors - a.errors || a.number - b.number,
    doubt: (a, b) => down(b.doubt) - down(a.doubt) || a.number - b.number || 0,
    unsure: (a, b) => up(a.confidence) - up(b.confidence) || a.number - b.number,
    data: (a, b) => a.number - b.number,
    long: (a, b) => b.label.length - a.label.length || a.number - b.number,
  };
  const isDoubtful = (line) => line.doubt !== null && line.doubt >= data.doubtful;
  const filters = {
    all: () => true,
    wrong: (line) => line.columns !== null,
    doubt: isDoubtful,
    right: (line) => line.columns === null,
  };
  let shown = [];
  let current = -1;
  let confusion = null;

  const make = (tag, classes, text) => {
    const element = document.createElement(tag);
    if (classes) element.className = classes;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const percent = (share) => (share * 100).toFixed(share > 0.9995 || share < 0.1 ? 1 : 0) + " %";
  const plural = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
  const visible = (text) => (text === " " ? "␣" : text);
  const isRightToLeft = (text) => /^[^\p{L}]*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}]/u.test(text);

  function picture(line) {
    const box = make("span", "pic");
    box.style.setProperty("--w", line.image[1] + "px");
    const image = make("img");
    image.alt = "";
    image.decoding = "async";
    image.src = line.image[0];
    box.append(image);
    if (line.marks.length) {
      const strip = make("span", "strip");
      strip.setAttribute("aria-hidden", "true");
      for (const [text, sure, left, width] of line.marks) {
        const mark = make("span", sure < SURE ? "low" : "");
        mark.style.left = left + "%";
        mark.style.width = width + "%";
        mark.title = `${text} ${percent(sure)}`;
        const bar = make("i");
        bar.style.height = Math.round(sure * 16) + "px";
        mark.append(bar, make("em", "", visible(text)));
        strip.append(mark);
      }
      box.append(strip);
    }
    return box;
  }

  function cell(kind, label, reading) {
    const box = make("span", "cell " + kind);
    box.append(make("i", "", label), make("b", "", reading));
    return box;
  }

  function aligned(line) {
    const box = make("div", line.columns ? "text" : "text same");
    box.setAttribute("aria-hidden", "true");
    if (isRightToLeft(line.label)) box.dir = "rtl";
    if (!line.columns) {
      box.textContent = line.label;
      return box;
    }
    box.append(cell("names", "label", "reading"));
    for (const column of line.columns) {
      if (typeof column === "string") {
        for (const word of column.match(/\s*\S+|\s+/g)) box.append(cell("", word, word));
      } else {
        const kind = column[0] === "" ? "ins" : column[1] === "" ? "del" : "sub";
        box.append(cell(kind, visible(column[0]), visible(column[1])));
      }
    }
    return box;
  }

  function item(line, place) {
    const row = make("li");
    row.tabIndex = -1;
    row.dataset.place = place;
    row.dataset.number = line.number;
    const said = line.columns ? `reading ${line.reading || "nothing"}, ${plural(line.errors, "error")}` : "read right";
    row.setAttribute("aria-label", `${place + 1}: label ${line.label}, ${said}`);
    const side = make("div", "side");
    side.append(make("b", "", line.columns ? plural(line.errors, "error") : "right"));
    if (line.confidence !== null) side.append(make("div", "", `sure ${percent(line.confidence)}`));
    if (isDoubtful(line)) side.append(make("div", "doubtful", "label?"));
    const body = make("div");
    if (line.image) body.append(picture(line));
    body.append(aligned(line));
    row.append(side, body);
    return row;
  }

  function details(line) {
    const box = make("dl", "more");
    const add = (name, text) => box.append(make("dt", "", name), make("dd", "", text));
    add("label", line.label);
    add("reading", line.reading);
    add("place", line.where);
    add("picture", line.picture);
    if (data.sources.length > 1) add("source", data.sources[line.source]);
    if (line.confidence !== null) add("confidence", percent(line.confidence));
    if (line.logLabel !== null) {
      add("label or reading", `the model gives the reading a log-probability of ${line.logReading}, the label ${
        line.logLabel <= -10000 ? "none: it does not fit into the picture" : line.logLabel}`);
    }
    if (line.marks && line.marks.length) {
      add("characters", line.marks.map(([text, sure]) => `${visible(text)} ${percent(sure)}`).join("   "));
    }
    return box;
  }

  function more() {
    const start = list.childElementCount;
    const part = document.createDocumentFragment();
    shown.slice(start, start + CHUNK).forEach((line, offset) => part.append(item(line, start + offset)));
    list.append(part);
    const done = list.childElementCount >= shown.length;
    end.textContent = shown.length === 0 ? "No line is like that." : done ? "These are all." : "…";
    return !done;
  }

  function select(place, focus = true) {
    if (!shown.length) return;
    place = Math.max(0, Math.min(place, shown.length - 1));
    while (list.childElementCount <= place && more());
    if (current >= 0 && list.children[current]) list.children[current].removeAttribute("aria-current");
    current = place;
    const row = list.children[place];
    row.setAttribute("aria-current", "true");
    if (focus) {
      row.focus({ preventScroll: true });
      row.scrollIntoView({ block: "nearest" });
    }
  }

  function toggle(row) {
    const open = row.classList.toggle("open");
    if (open) row.lastElementChild.append(details(lines[row.dataset.number]));
    else row.querySelector(".more").remove();
  }

  function refresh() {
    const wanted = search.value.normalize("NFC").toLowerCase();
    const pair = confusion === null ? null : data.confusions[confusion];
    shown = lines.filter((line) => {
      if (!filters[filter.value](line)) return false;
      if (pair && !(line.columns || []).some((c) => typeof c !== "string" && c[0] === pair[0] && c[1] === pair[1])) {
        return false;
      }
      return !wanted || [line.label, line.reading, line.where, line.picture].some(
        (text) => text.toLowerCase().includes(wanted));
    });
    shown.sort(orders[order.value]);
    list.replaceChildren();
    current = -1;
    count.textContent = `${shown.length.toLocaleString("en")} of ${plural(lines.length, "line")}`;
    only.hidden = !pair;
    if (pair) {
      only.textContent = `${visible(pair[0]) || "nothing"} → ${visible(pair[1]) || "nothing"}  ×`;
      only.setAttribute("aria-label", "show all confusions again");
    }
    for (const button of buttons) button.setAttribute("aria-pressed", String(Number(button.dataset.number) === confusion));
    more();
  }

  function choose(menu, value) {
    if (![...menu.options].some((option) => option.value === value)) return;
    menu.value = value;
    refresh();
  }

  const theme = get("theme");
  const isDark = () => document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  function switchTheme() {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("crnn-theme", document.documentElement.dataset.theme); } catch { /* not kept, then */ }
    nameTheme();
  }
  try {
    const kept = localStorage.getItem("crnn-theme");
    if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  } catch { /* as the system has it */ }
  nameTheme();
  theme.addEventListener("click", switchTheme);

  const help = get("help");
  const askHelp = () => (help.open ? help.close() : help.showModal());
  get("help-button").addEventListener("click", askHelp);

  const keys = {
    j: () => select(current + 1), ArrowDown: () => select(current + 1),
    k: () => select(current - 1), ArrowUp: () => select(current - 1),
    "/": () => { search.focus(); search.select(); },
    w: () => choose(order, "worst"), l: () => choose(order, "doubt"), d: switchTheme, "?": askHelp,
    Escape: () => { search.value = ""; confusion = null; refresh(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || (help.open && event.key !== "?")) return;
    const target = event.target;
    if (target === search) {
      if (event.key === "Escape") { keys.Escape(); search.blur(); event.preventDefault(); }
      if (event.key === "Enter") { select(0); event.preventDefault(); }
      return;
    }
    if (target.matches("select")) return;
    if (event.key === "Enter") {
      if (target.matches("button,summary,a,input")) return;
      if (current >= 0) toggle(list.children[current]);
      event.preventDefault();
    } else if (Object.hasOwn(keys, event.key)) {
      keys[event.key]();
      event.preventDefault();
    }
  });
  list.addEventListener("click", (event) => {
    const row = event.target.closest("li");
    if (row && !String(getSelection())) select(Number(row.dataset.place));
  });
  list.addEventListener("dblclick", (event) => {
    const row = event.target.closest("li");
    if (row && event.target.closest(".side,.pic")) toggle(row);
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const number = Number(button.dataset.number);
      confusion = confusion === number ? null : number;
      refresh();
      if (confusion !== null) get("lines").scrollIntoView();
    });
  }
  only.addEventListener("click", () => { confusion = null; refresh(); search.focus(); });
  for (const control of [order, filter]) control.addEventListener("change", refresh);
  search.addEventListener("input", refresh);
  new IntersectionObserver((seen) => {
    if (seen.some((one) => one.isIntersecting)) more();
  }, { rootMargin: "1200px" }).observe(end);
  refresh();
})();
