"use strict";
// What the pages of evaluation and comparison share. Texts reach them as text nodes and attributes, never as markup.
const kit = (() => {
  const CHUNK = 60; // lines that are made at once
  const SURE = 0.8; // a character below is marked
  const APART = 9; // pixels between characters under a picture; closer ones take turns in two rows
  const get = (id) => document.getElementById(id);
  const data = JSON.parse(get("data").textContent);

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

  // A picture as [data URI, width], and what was read where in it.
  function picture(image, marks) {
    const box = make("span", "pic");
    box.style.setProperty("--w", image[1] + "px");
    const shown = make("img");
    shown.alt = "";
    shown.decoding = "async";
    shown.src = image[0];
    box.append(shown);
    if (marks.length) {
      const strip = make("span", "strip");
      strip.setAttribute("aria-hidden", "true");
      let before = -APART; // the middle of the latest character in the upper row
      for (const [text, sure, left, width] of marks) {
        const mark = make("span", sure < SURE ? "low" : "");
        mark.style.left = left + "%";
        mark.style.width = width + "%";
        mark.title = `${text} ${percent(sure)}`;
        const bar = make("i");
        bar.style.height = Math.round(sure * 16) + "px";
        const middle = ((left + width / 2) / 100) * image[1];
        const isLow = middle - before < APART;
        if (isLow) strip.classList.add("two");
        before = isLow ? -APART : middle;
        mark.append(bar, make("em", isLow ? "down" : "", visible(text)));
        strip.append(mark);
      }
      box.append(strip);
    }
    return box;
  }

  // A label over its readings: columns are texts that are alike in all, and [label, reading, ...] where they are not.
  function aligned(label, columns, names, cell) {
    const box = make("div", columns ? "text" : "text same");
    box.setAttribute("aria-hidden", "true");
    if (isRightToLeft(label)) box.dir = "rtl";
    if (!columns) {
      box.textContent = label;
      return box;
    }
    const part = (classes, texts) => {
      const one = make("span", classes);
      one.append(...texts.map((text, row) => make(row ? "b" : "i", "", text)));
      return one;
    };
    box.append(part("cell names", names));
    for (const column of columns) {
      if (typeof column === "string") {
        for (const word of column.match(/\s*\S+|\s+/g)) box.append(part("cell", names.map(() => word)));
      } else box.append(cell(part("cell", column.map(visible)), column));
    }
    return box;
  }

  const kind = (label, reading) => (label === reading ? "" : label === "" ? "ins" : reading === "" ? "del" : "sub");

  function details(pairs) {
    const box = make("dl", "more");
    for (const [name, text] of pairs) box.append(make("dt", "", name), make("dd", "", text));
    return box;
  }

  // The list of lines. page: lines, item(line, place), details(line), chosen() in order, refreshed(), clear(), keys.
  function show(page) {
    const [list, search, count, end] = ["list", "search", "count", "end"].map(get);
    let shown = [];
    let current = -1;

    function more() {
      const start = list.childElementCount;
      const part = document.createDocumentFragment();
      shown.slice(start, start + CHUNK).forEach((line, offset) => part.append(row(line, start + offset)));
      list.append(part);
      const done = list.childElementCount >= shown.length;
      end.textContent = shown.length === 0 ? "No line is like that." : done ? "These are all." : "…";
      return !done;
    }

    function row(line, place) {
      const [said, side, body] = page.item(line);
      const one = make("li");
      one.tabIndex = -1;
      one.dataset.place = place;
      one.dataset.number = line.number;
      one.setAttribute("aria-label", `${place + 1}: ${said}`);
      one.append(side, body);
      return one;
    }

    function select(place) {
      if (!shown.length) return;
      place = Math.max(0, Math.min(place, shown.length - 1));
      while (list.childElementCount <= place && more());
      if (current >= 0 && list.children[current]) list.children[current].removeAttribute("aria-current");
      current = place;
      const one = list.children[place];
      one.setAttribute("aria-current", "true");
      one.focus({ preventScroll: true });
      one.scrollIntoView({ block: "nearest" });
    }

    function toggle(one) {
      if (one.classList.toggle("open")) one.lastElementChild.append(page.details(page.lines[one.dataset.number]));
      else one.querySelector(".more").remove();
    }

    function refresh() {
      const wanted = search.value.normalize("NFC").toLowerCase();
      shown = page.chosen((line) => !wanted || line.searched.some((text) => text.toLowerCase().includes(wanted)));
      list.replaceChildren();
      current = -1;
      count.textContent = `${shown.length.toLocaleString("en")} of ${plural(page.lines.length, "line")}`;
      page.refreshed();
      more();
    }

    function choose(menu, value) {
      if (![...menu.options].some((option) => option.value === value)) return;
      menu.value = value;
      refresh();
    }

    const theme = get("theme");
    const root = document.documentElement;
    const isDark = () => root.dataset.theme
      ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
    function switchTheme() {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem("crnn-theme", root.dataset.theme); } catch { /* not kept, then */ }
      nameTheme();
    }
    try {
      const kept = localStorage.getItem("crnn-theme");
      if (kept === "dark" || kept === "light") root.dataset.theme = kept;
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
      d: switchTheme, "?": askHelp,
      Escape: () => { search.value = ""; page.clear(); refresh(); },
    };
    for (const [key, [menu, value]] of Object.entries(page.keys)) keys[key] = () => choose(get(menu), value);
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
      const one = event.target.closest("li");
      if (one && !String(getSelection())) select(Number(one.dataset.place));
    });
    list.addEventListener("dblclick", (event) => {
      const one = event.target.closest("li");
      if (one && event.target.closest(".side,.pic")) toggle(one);
    });
    for (const menu of document.querySelectorAll(".bar select")) menu.addEventListener("change", refresh);
    search.addEventListener("input", refresh);
    new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) more();
    }, { rootMargin: "1200px" }).observe(end);
    return refresh;
  }

  return { get, data, make, percent, plural, visible, picture, aligned, kind, details, show };
})();
